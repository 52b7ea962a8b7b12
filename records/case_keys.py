"""The key of one case, as a destruction needs it: destroyed last, and with it whatever copy of sealed text is left anywhere."""

from __future__ import annotations

from typing import Protocol


class CaseKeys(Protocol):
    """Where the keys of cases are kept, apart from the records."""

    def destroy(self, case: str) -> None:
        """Destroy a case's key for good. Destroying it again does nothing."""
