"""The sign-in as it is kept between two commands: a file for its owner's eyes only. It is not believed: it is verified each time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from starter.identity import SignInFailed
from starter.spreadsheet import write_whole
from worker.settings import Settings

AGAIN = "Run evenhand sign-in."


class SignedIn(BaseModel):
    """A sign-in: whose tokens, of which provider and program. Never printed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    client_id: str
    id_token: SecretStr
    refresh_token: SecretStr | None = None

    @field_serializer("id_token", "refresh_token", when_used="json")
    def _to_the_file(self, value: SecretStr | None) -> str | None:
        return value.get_secret_value() if value else None


def file_of(settings: Settings) -> Path:
    """Returns where the sign-in is kept."""
    if settings.session_file:
        return settings.session_file
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "evenhand" / "sign-in.json"


def keep(settings: Settings, one: SignedIn) -> None:
    """Write a sign-in to its file, in place of the one before. Raises SignInFailed."""
    file = file_of(settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(file, one.model_dump_json().encode())
    except OSError as error:
        why = f"The sign-in could not be kept in {file} ({error.strerror})"
        raise SignInFailed(f"{why}; EVENHAND_SESSION_FILE names another place.") from None


def kept(settings: Settings) -> SignedIn:
    """Returns the sign-in as its file has it. Raises SignInFailed where there is none, or others could have read or written it."""
    file = file_of(settings)
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SignInFailed(f"{file} can be read or written by others: chmod 600 it after finding out who did, then evenhand sign-in.")
        found = SignedIn.model_validate_json(file.read_bytes())
    except OSError:
        raise SignInFailed(f"Nobody is signed in. {AGAIN}") from None
    except ValidationError:
        raise SignInFailed(f"{file} holds no sign-in. {AGAIN}") from None
    if (found.issuer, found.client_id) != (settings.oidc_issuer.rstrip("/"), settings.oidc_client_id):
        raise SignInFailed(f"The sign-in kept is for another provider or program. {AGAIN}")
    return found


def forget(settings: Settings) -> bool:
    """Take the file away; returns whether there was one."""
    try:
        file_of(settings).unlink()
    except FileNotFoundError:
        return False
    return True
