"""Who had a part in what happened: nobody of them decides, where a policy says so (DEF-20)."""

from __future__ import annotations

from domain.case import Case
from domain.people import Staff


def involved(case: Case, staff: Staff) -> frozenset[str]:
    """Returns the human beings who reported an incident of this case, or at whom one was directed (DEF-20)."""
    known = [one.involved or (staff.human_of(one.by),) for one in case.incidents]
    return frozenset(human for humans in known for human in humans)
