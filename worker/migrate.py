"""python -m worker.migrate: brings the records up to the present tables, before any worker of this release starts."""

from __future__ import annotations

from records.database import migrate
from worker.keys import records_of
from worker.settings import Settings


def main() -> None:
    """Migrate the database named in the settings and say which; its password is not shown."""
    engine = records_of(Settings())
    migrate(engine)
    print(f"The records at {engine.url} have the present tables.")


if __name__ == "__main__":
    main()
