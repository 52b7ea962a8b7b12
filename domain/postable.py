"""A customer whose letters go by post and whose address no envelope could show: known at once, not when a letter is stopped (EH-111).

The case is opened all the same, for what was reported must not be lost; a task lasts until the address is mended."""

from __future__ import annotations

from domain.addresses import address_problem
from domain.case import Customer

BY_POST = "No letter can be posted to the customer's address yet"


def posting_problem(customer: Customer) -> str | None:
    """Returns why no letter could be posted to a customer who is written to by post, without quoting the address; or None."""
    return None if customer.channel == "email" else address_problem(customer.name, customer.address)
