"""The options that lead the `temporal` binary to the engine that this installation's settings name."""

from __future__ import annotations

from worker.profile import NotRunning, connection
from worker.settings import Settings

BY_ITSELF = {"127.0.0.1:7233", "localhost:7233"}
"""Where the binary goes without an option, in the namespace `default`."""


def options(settings: Settings) -> tuple[str, ...]:
    """Returns a profile, address and namespace as the binary takes them, without what it takes by itself; no key and no token is among
    them: none where no engine is named and the default run is not there. Raises NoProfile."""
    try:
        found = connection(settings)
    except NotRunning:
        return ()
    address, namespace = str(found.get("target_host")), str(found.get("namespace"))
    named = ("--profile", settings.temporal_profile) if settings.temporal_profile else ()
    file = ("--config-file", str(settings.temporal_config)) if settings.temporal_profile and settings.temporal_config else ()
    where = () if address in BY_ITSELF else ("--address", address)
    return (*named, *file, *where, *(() if namespace == "default" else ("--namespace", namespace)))
