"""Master keys: what wraps the cases' keys. They lie in a file or the environment, or never leave a key service.

Whoever holds a master key and the key store reads every case; whoever holds a backup of one of them alone reads nothing."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pydantic import SecretStr

from records.no_keys import NoMaster as NoMaster

BYTES = 32
LINE = re.compile(r"(?P<id>[a-z0-9][a-z0-9-]{0,39}):(?P<key>[A-Za-z0-9_+/=-]{42,46})")
SHAPE = "a line a key, id:key, the key 32 bytes in base64; the last one wraps new keys (evenhand keys new-master prints such a line)"


class Masters(Protocol):
    """Wraps and unwraps keys of 32 bytes by the id of a master key: a file, the environment, or a key service (KMS).

    Each call may raise NoMaster. A key service implements these three; its masters never leave it."""

    def current(self) -> str:
        """Returns the id of the master key that wraps new keys."""

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """Returns the id of the master that wrapped, and the wrapped key."""

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        """Returns the key."""


def new_line() -> str:
    """Returns a new master key as a line of a master key file, under an id of its own."""
    return f"m-{secrets.token_hex(4)}:{base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode()}"


def masters_in(text: str, *, where: str) -> dict[str, bytes]:
    """Returns the master keys that a text holds, in its order. Raises NoMaster that names the line, and nothing of what stands in it."""
    found: dict[str, bytes] = {}
    lines = [line.strip() for line in re.split(r"[\n,]", text) if line.strip() and not line.strip().startswith("#")]
    for n, line in enumerate(lines, start=1):
        match = LINE.fullmatch(line)
        key = _decoded(match["key"]) if match else b""
        if match is None or len(key) != BYTES:
            raise NoMaster(f"{where}: key {n} of {len(lines)} is no master key; it must be {SHAPE}.")
        if match["id"] in found:
            raise NoMaster(f"{where}: two master keys have the id {match['id']}; each has its own.")
        found[match["id"]] = key
    if not found:
        raise NoMaster(f"{where} holds no master key; it must hold {SHAPE}.")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "==", validate=False)
    except binascii.Error:
        return b""


class _Held:
    """Masters whose keys this process holds. Its repr names ids alone."""

    where = ""

    def _all(self) -> dict[str, bytes]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.where}>"

    def ids(self) -> tuple[str, ...]:
        """Returns the master keys that this process holds, by their ids."""
        return tuple(self._all())

    def current(self) -> str:
        return self.ids()[-1]

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        id, master = list(self._all().items())[-1]
        return id, aes_key_wrap(master, key)

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        master = self._all().get(master_id)
        if master is None:
            raise NoMaster(f"A key is wrapped by the master key {master_id}, which {self.where} does not hold.")
        try:
            return aes_key_unwrap(master, wrapped)
        except (InvalidUnwrap, ValueError):
            raise NoMaster(f"A key does not open with the master key {master_id} of {self.where}: another key has that id.") from None


class TextMasters(_Held):
    """Master keys from the environment (EVENHAND_MASTER_KEY)."""

    def __init__(self, text: SecretStr, *, where: str = "EVENHAND_MASTER_KEY") -> None:
        self.where = where
        self._keys = masters_in(text.get_secret_value(), where=where)

    def _all(self) -> dict[str, bytes]:
        return self._keys


class FileMasters(_Held):
    """Master keys in a file, read again when it changes: a rotation reaches running workers by itself."""

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)
        self._read: tuple[tuple[int, int, int], dict[str, bytes]] | None = None

    def _all(self) -> dict[str, bytes]:
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, masters_in(self.path.read_text(encoding="utf-8"), where=self.where))
        except (OSError, UnicodeDecodeError) as error:
            raise NoMaster(f"The master key file {self.path} cannot be read ({type(error).__name__}).") from None
        return self._read[1]

    def add(self) -> str:
        """Add a new master key, which wraps new keys from now on. Returns its id."""
        line = new_line()
        _write(self.path, f"{self.path.read_text(encoding='utf-8').rstrip()}\n{line}\n")
        return line.partition(":")[0]

    def drop(self, id: str) -> None:
        """Take a master key out of the file. Raises NoMaster where it is not there, or wraps new keys."""
        if id not in self.ids():
            raise NoMaster(f"{self.path} holds no master key {id}; it holds {', '.join(self.ids())}.")
        if id == self.current():
            raise NoMaster(f"{id} is the master key that wraps new keys; evenhand keys rotate-master makes another first.")
        kept = [line for line in self.path.read_text(encoding="utf-8").splitlines() if not line.strip().startswith(f"{id}:")]
        _write(self.path, "\n".join(kept) + "\n")


def make_file(path: Path) -> bool:
    """Make a master key file that only its owner reads, where there is none. Returns whether it was made here."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, f"{new_line()}\n")
    try:
        os.link(temporary, path)  # whole, and never over one that another process made meanwhile
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _write(path: Path, text: str) -> None:
    _temporary(path, text).replace(path)


def _temporary(path: Path, text: str) -> Path:
    """Returns a new file beside a path that only its owner reads (mkstemp's way), with a text in it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
