"""The check of the keys: without them no case is read, and nothing new is sealed."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from records.masters import FileMasters
from starter.doctor import Check, Ill, Patient
from starter.show import several
from worker.keys import NoKeys, NoMaster, keys_for
from worker.settings import Settings


def of_keys(patient: Patient) -> dict[str, Check]:
    """Returns the check of the keys by name."""
    return {"case keys": lambda: asyncio.to_thread(_keys, patient.settings)}


def _keys(settings: Settings) -> str:
    try:
        store = keys_for(settings)
        counts, current = store.wrapped_by(), store.masters.current()
        store.try_masters()
    except (NoKeys, NoMaster) as error:
        raise Ill(str(error), "Set EVENHAND_KEYS_URL and the master key as the workers have them (docs/sealing.md).") from None
    except SQLAlchemyError as error:
        raise Ill(f"the key store does not answer ({type(error).__name__})", "Is EVENHAND_KEYS_URL right, and there?") from None
    if isinstance(store.masters, FileMasters) and _open_to_others(store.masters.path):
        raise Ill(f"{store.masters.path} can be read by others than its owner", "chmod 600 it.", state="warn")
    if old := sorted(set(counts) - {current}):
        raise Ill(f"keys are still wrapped by {', '.join(old)}", "evenhand keys rotate-master wraps them anew.", state="warn")
    return f"{several(sum(counts.values()), 'key')}, wrapped by {current}"


def _open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
