"""One case's key: what it seals, nobody reads without it. AES-256-GCM; the case and the place are bound to every sealed text."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
SEALED_TEXT = "sealed:1:"
"""How a sealed text begins, then the key's id, a colon, and nonce and text in base64; other text an earlier release left."""
SEALED_FILE = b"evenhand-sealed-1:"
"""The same of a file: the key's id, a line end, nonce and content."""


KEY_ID = re.compile(r"k-[0-9a-f]{20}")


class Unsealable(Exception):
    """What was sealed cannot be read: damaged, moved from another place, or sealed by another key."""


@dataclass(frozen=True)
class CaseKey:
    """The key of one case, by an id that says nothing of the case."""

    case: str
    id: str
    secret: bytes = field(repr=False)

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.secret)

    def seal(self, content: bytes, place: str) -> bytes:
        """Returns nonce and ciphertext; what is sealed for one place opens at no other."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, content, self._bound(place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """Returns what was sealed for a place. Raises Unsealable."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], self._bound(place))
        except (InvalidTag, ValueError):
            raise Unsealable(f"sealed text of key {self.id} that does not open") from None

    def _bound(self, place: str) -> bytes:
        return f"evenhand-1\x1f{self.case}\x1f{place}".encode()

    @cached_property
    def _naming(self) -> bytes:
        return hmac.digest(self.secret, b"evenhand text reference 1", "sha256")

    def mark(self, text: str) -> str:
        """Returns a name for a text, 32 hexadecimal digits: the same text has the same, and without the key nobody can try names out."""
        return hmac.digest(self._naming, text.encode(), "sha256").hex()[:32]

    def sealed_text(self, text: str, place: str) -> str:
        return f"{SEALED_TEXT}{self.id}:{base64.b64encode(self.seal(text.encode(), place)).decode()}"

    def sealed_file(self, content: bytes, place: str) -> bytes:
        return SEALED_FILE + self.id.encode() + b"\n" + self.seal(content, place)


def new_secret() -> bytes:
    return secrets.token_bytes(32)


def new_id() -> str:
    """Returns a random key id: never the case's, for it stands in clear beside every payload."""
    return f"k-{secrets.token_hex(10)}"


def of_our_making(key_id: str) -> bool:
    """Returns whether an id has the form that `new_id` gives. Anybody writes one beside a payload: of any other no store is asked."""
    return KEY_ID.fullmatch(key_id) is not None
