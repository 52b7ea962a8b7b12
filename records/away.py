"""Records or keys that do not answer, told apart and by their place: which database it was stands in no fault of a driver.

Nothing was kept of what was being done, for everything is written whole or not at all; whoever calls can only wait and do it again."""

from __future__ import annotations

from sqlalchemy import Engine, event, make_url
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

RECORDS, KEYS = "the records", "the keys"
NOTE = "evenhand: "
"""Begins the note that a fault of a database carries: which, and where."""
EARLIER = ("no such table", "no such column", "has no column", "UndefinedTable", "UndefinedColumn")
"""What a database of an earlier release says."""
CONNECT_WITHIN = 10
"""Seconds."""
SAME_FILE = ("locked", "unable to open", "readonly", "disk I/O", "full", "malformed", "not a database")
"""What SQLite says of a file that cannot be used."""


def watched(engine: Engine, what: str) -> Engine:
    """Have every fault of a database say which database it is. Returns the engine."""

    def note(context: ExceptionContext) -> None:
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.add_note(f"{NOTE}{what} at {place(engine.url)}")

    event.listen(engine, "handle_error", note)
    return engine


def waits(url: str) -> dict[str, int]:
    """Returns how long a connection to PostgreSQL may take to be made, where the address does not say it: an address that nobody has would
    keep whoever asks for minutes."""
    return {} if "connect_timeout" in make_url(url).query else {"connect_timeout": CONNECT_WITHIN}


def place(url: URL) -> str:
    """Returns where a database is, without who asks and by which password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "memory"
    host = url.host or str(url.query.get("host", "localhost"))
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def said_of(error: BaseException | None) -> str | None:
    """Returns what to tell whoever asked, where a database did not answer or is of an earlier release; None of any other fault."""
    while error is not None and not isinstance(error, DBAPIError):
        error = error.__cause__
    if error is None:
        return None
    what = next((one.removeprefix(NOTE) for one in getattr(error, "__notes__", ()) if one.startswith(NOTE)), RECORDS)
    said = f"{type(error.orig).__name__} {error.orig}"
    if isinstance(error, OperationalError | ProgrammingError) and any(one in said for one in EARLIER):
        return f"{_start(what)} are of an earlier release: evenhand up, or the migrations, bring them up to date."
    if not _away(error, said):
        return None
    return f"{_start(what)} do not answer. Nothing was kept of what was being done: do it again when they are back; evenhand doctor looks."


def _start(what: str) -> str:
    return what[0].upper() + what[1:]


def _away(error: DBAPIError, said: str) -> bool:
    sqlite = type(error.orig).__module__.startswith("sqlite3")
    return isinstance(error, OperationalError | InterfaceError) and (not sqlite or any(one in said for one in SAME_FILE))
