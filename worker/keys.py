"""The key store and the records, as the settings name them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from records.database import open_database
from records.keys import INSTALLATION, KeyStore, NoKeys, file_keys
from records.masters import FileMasters, Masters, NoMaster, TextMasters, make_file
from worker.settings import Settings

MASTER = "master.key"
HOW = "evenhand keys new-master > FILE makes one; keep it where no backup of the records or the engine goes (docs/sealing.md)"


def keys_for(settings: Settings) -> KeyStore:
    """Returns the key store that the settings name. Raises NoKeys or NoMaster; both say which setting and what would be right."""
    folder = settings.folder.resolve()
    if not settings.keys_url and not _masters_named(settings) and not settings.production:
        return file_keys(folder)
    return _store(settings.keys_url.get_secret_value() or f"sqlite:///{folder / 'keys.db'}", settings.master_key, _master_file(settings))


def make_local_master(settings: Settings) -> bool:
    """Make the default run's master key where no other is named and none is there yet. Returns whether it was made now."""
    return not _masters_named(settings) and make_file(settings.folder.resolve() / MASTER)


def _masters_named(settings: Settings) -> bool:
    return bool(settings.master_key.get_secret_value() or settings.master_key_file)


def _master_file(settings: Settings) -> Path | None:
    """Returns the master key file, where no key is given itself; the default run's stands in where one was made."""
    if settings.master_key.get_secret_value():
        return None
    file = settings.master_key_file or settings.folder.resolve() / MASTER
    if not file.exists():
        raise NoKeys(f"No master key: EVENHAND_MASTER_KEY_FILE names no file that is there, and EVENHAND_MASTER_KEY is not set. {HOW}.")
    return file


@cache
def _store(url: str, text: SecretStr, file: Path | None) -> KeyStore:
    masters: Masters = FileMasters(file) if file else TextMasters(text)
    store = KeyStore(url, masters)
    store.create()
    return store


def checked_for_work(settings: Settings) -> KeyStore:
    """Returns the keys for a worker, tried once. Raises NoKeys where production names none, NoMaster where they do not fit the store."""
    if settings.production:
        missing = [
            name
            for name, given in (("EVENHAND_KEYS_URL", settings.keys_url), ("EVENHAND_MASTER_KEY_FILE", _masters_named(settings)))
            if not given
        ]
        if missing:
            raise NoKeys(
                f"A worker on {settings.database.partition(':')[0]} needs {' and '.join(missing)}: no case is read without its key. {HOW}."
            )
    keys = keys_for(settings)
    keys.of(INSTALLATION)
    return keys


def records_of(settings: Settings) -> Engine:
    """Returns the records that the settings name, with their keys."""
    return open_database(settings.database, keys=lambda: keys_for(settings))


__all__ = ["MASTER", "NoKeys", "NoMaster", "checked_for_work", "keys_for", "make_local_master", "records_of"]
