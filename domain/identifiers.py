"""What a customer is known by at the desk: a name, an email address, a telephone number, a case. One spelling each, or nobody is found."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

IdentifierKind = Literal["name", "email", "phone", "post", "case"]
Identifier = tuple[IdentifierKind, str]

EMAIL = re.compile(r"[^\s<>(),;:\"@]+@[^\s<>(),;:\"@]+")
PHONE = re.compile(r"\+?[\d\s().\-/]{7,40}")
SHORTEST_NUMBER = 7
LONGEST = 400
"""Characters that are looked at; no name, address or number is longer."""


def identifiers(given: str) -> tuple[Identifier, ...]:
    """Returns everything that what somebody typed may be: always a case (as typed, and without capitals), and a name, an
    email address or a telephone number by its looks.

    None where nothing in it could be any of these."""
    text = unicodedata.normalize("NFKC", given[:LONGEST]).strip()
    readings: tuple[tuple[IdentifierKind, str | None], ...] = (
        ("case", text or None),
        ("case", text.casefold() if text != text.casefold() else None),
        ("email", email_in(text)),
        ("phone", phone_in(text)),
        ("name", name_in(text) if "@" not in text else None),
    )
    found = tuple((kind, value) for kind, value in readings if value)
    return found if any(sign.isalnum() for sign in text) else ()


def address_identifiers(address: str) -> tuple[Identifier, ...]:
    """Returns what an address the body writes to is found by: its email addresses, its number, or its postal address."""
    text = unicodedata.normalize("NFKC", address[:LONGEST])
    emails: list[Identifier] = [("email", found) for one in EMAIL.findall(text) if (found := email_in(one))]
    number = phone_in(text)
    if emails or number:
        return (*emails, *((("phone", number),) if number else ()))
    words = name_in(text)
    return (("post", words),) if words else ()


def name_in(text: str) -> str | None:
    """Returns a name in one spelling: no accents, no capitals, no signs, single spaces. José  O’BRIEN is jose obrien."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    joined = re.sub(r"['’‘`´ʼ\u200b-\u200f\u2060\ufeff\u00ad]", "", plain)
    words = re.sub(r"[\W_]+", " ", joined).split()
    return " ".join(words) or None


def email_in(text: str) -> str | None:
    """Returns an email address in one spelling, or None; the part before the @ counts without capitals too."""
    found = EMAIL.fullmatch(text.strip().removeprefix("mailto:"))
    return found.group().casefold().strip(".") if found else None


def phone_in(text: str) -> str | None:
    """Returns a telephone number as its national digits, or None: +44 (0)20 7946 0000 and 020 7946 0000 are one number."""
    if not PHONE.fullmatch(text.strip()):
        return None
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    for prefix in ("0044", "44") if not text.strip().startswith("+") else ("44",):
        if digits.startswith(prefix) and len(digits) > len(prefix) + SHORTEST_NUMBER:
            digits = "0" + digits.removeprefix(prefix).lstrip("0")
            break
    return digits if len(digits) >= SHORTEST_NUMBER else None
