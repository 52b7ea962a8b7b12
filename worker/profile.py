"""How to reach the engine: two settings, or a profile of Temporal's own file, with TLS and an API key (docs/access.md)."""

from __future__ import annotations

import re
from pathlib import Path

from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

from worker.settings import NOT_RUNNING, Settings

START = "Start it with evenhand up; for another engine set EVENHAND_TEMPORAL_ADDRESS."


class NoProfile(Exception):
    """The profile cannot be used: says where and what would be right, never a line of the file, which may hold a key."""


class NotRunning(RuntimeError):
    """The default run is not running, and no other engine is named. The SDK too says by a RuntimeError that it reaches none."""


def connection(settings: Settings) -> ClientConnectConfig:
    """Returns how to connect; what a profile leaves out the settings say. Raises NoProfile, NotRunning."""
    if settings.temporal_address == NOT_RUNNING and not settings.temporal_profile:
        raise NotRunning(f"The default run in {settings.var} is not running. {START}")
    ours = ClientConnectConfig(target_host=settings.temporal_address, namespace=settings.temporal_namespace)
    if not settings.temporal_profile:
        return ours
    profile = _profile(settings.temporal_profile, settings.temporal_config)
    try:
        found = profile.to_client_connect_config()
    except OSError as error:
        raise NoProfile(f"The profile {settings.temporal_profile} names {error.filename}: {error.strerror}.") from None
    if bool(profile.tls and profile.tls.client_cert) != bool(profile.tls and profile.tls.client_private_key):
        raise NoProfile(f"The profile {settings.temporal_profile} has one of client_cert_path and client_key_path; it takes both or none.")
    if profile.api_key and profile.tls and profile.tls.disabled:
        raise NoProfile(f"The profile {settings.temporal_profile} would send its API key without TLS; take out tls.disabled.")
    return ClientConnectConfig(**{**ours, **found})


def _profile(name: str, file: Path | None) -> ClientConfigProfile:
    """Returns a profile; TEMPORAL_... of the environment goes before what the file says, as Temporal has it."""
    where = str(file) if file else "Temporal's own configuration file (TEMPORAL_CONFIG_FILE, or temporal.toml in the user's folder)"
    if file and not file.is_file():
        raise NoProfile(f"There is no file {file}, which EVENHAND_TEMPORAL_CONFIG names.")
    try:
        return ClientConfigProfile.load(name, config_source=file, config_file_strict=True)
    except RuntimeError as error:
        raise NoProfile(f"{where}: {_told(str(error), name)}.") from None


def _told(error: str, name: str) -> str:
    """Returns what is wrong with a file without quoting it."""
    if "not found" in error:
        return f"there is no profile {name}; it would stand under [profile.{name}]"
    place = re.search(r"line (\d+), column (\d+)", error)
    unknown = re.search(r"unknown field `[\w.-]+`, expected .*", error)
    at = f"line {place[1]}, column {place[2]}: " if place else ""
    return f"{at}{unknown[0] if unknown else 'no TOML that Temporal reads; values of a profile are texts in quotation marks'}"
