"""An address that no letter can be posted to is found when it is recorded, not when the first letter is stopped (EH-111)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.case import Case, Customer
from domain.commands import Correct, CorrectAddress
from domain.decision import Refusal
from domain.tasks import tasks
from tests.stories import ENGLAND, MMO, a_complained_of_agent, after, an_opened_mmo_case, mmo, natural_england
from tests.test_letters import TO_EMPLOYER

DAY = date(2027, 4, 1)
GOOD = "1 Sample Street, Sampletown, ZZ99 9ZZ"
BAD = {
    "no postcode": ("1 Sample Street, Sampletown", "its last line is neither a UK postcode nor a country"),
    "too short": ("Sampletown", "with the name it has 2 lines"),
    "a forbidden sign": ("@ Sample Street, Sampletown, ZZ99 9ZZ", "line 2 begins with @"),
}


def waiting(case: Case, *, on: date = DAY) -> list[str]:
    return [one.what for one in tasks(case, MMO, ENGLAND, today=on) if one.kind == "address"]


@pytest.mark.parametrize(("address", "found"), BAD.values(), ids=BAD)
def test_a_letter_by_post_to_somebody_else_is_refused_at_the_act(address: str, found: str):
    """NE-44, EH-111: where, what was found, what would be right; and the address is not quoted into the log."""
    with pytest.raises(Refusal) as said:
        after(a_complained_of_agent(), (TO_EMPLOYER.model_copy(update={"address": address}), natural_england("officer"), DAY))

    assert said.value.reason.startswith("No letter can be posted to the address in address: ") and found in said.value.reason
    assert "2 to 6 lines below the name" in (said.value.remains or "") and said.value.cites == ("EH-111",)
    assert address not in said.value.reason


def test_a_letter_by_email_to_somebody_else_needs_no_envelope():
    mailed = TO_EMPLOYER.model_copy(update={"channel": "email", "address": "firm@example.org"})

    case = after(a_complained_of_agent(), (mailed, natural_england("officer"), DAY))

    assert case.notices[-1].kind == "formal-complaint"


@pytest.mark.parametrize(("address", "found"), [*BAD.values(), (None, "there is no postal address")])
def test_a_case_is_opened_with_such_an_address_and_somebody_is_told_at_once(address: str | None, found: str):
    """What was reported must not be lost: the answer says it, and the task lasts until the address is mended."""
    case = an_opened_mmo_case(customer=Customer(name="Casey Sample", channel="letter", address=address))

    [task] = waiting(case)
    assert found in task and (address is None or address not in task)

    mended = after(case, (CorrectAddress(address=GOOD), mmo("officer"), DAY))
    assert not waiting(mended)


def test_a_customer_written_to_by_email_has_no_such_task():
    assert not waiting(an_opened_mmo_case(customer=Customer(name="Casey Sample", channel="email", address="casey@example.org")))
    assert not waiting(an_opened_mmo_case(customer=Customer(name="Casey Sample", channel="letter", address=GOOD)))


def test_letters_to_somebody_met_by_telephone_go_by_post_too():
    """Every channel but email: the address is asked for, and one that is no address is refused when it is corrected."""
    case = an_opened_mmo_case(customer=Customer(name="Casey Sample", channel="telephone"))

    assert waiting(case)
    with pytest.raises(Refusal, match="No letter can be posted"):
        after(case, (CorrectAddress(address="01234 567890"), mmo("officer"), DAY))


def test_a_case_that_has_ended_asks_for_no_address():
    case = an_opened_mmo_case(customer=Customer(name="Casey Sample", channel="letter"))

    assert not waiting(after(case, (Correct(reasons="Opened for the wrong person."), mmo("manager"), DAY)))
