"""Every setting, with its default for a first try. In production each comes from the environment (EVENHAND_...)."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

HOME = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What a worker and a client need to find each other and the records."""

    model_config = SettingsConfigDict(env_prefix="EVENHAND_", extra="ignore")

    var: Path = HOME / "var"
    """Where the default run keeps its databases and letters."""
    database_url: str = ""
    outbox: Path | None = None
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    task_queue: str = "evenhand"
    ui_port: int = 8233
    health_file: Path | None = None
    """Touched every few seconds by a running worker, for a container's health check."""

    @classmethod
    def local(cls) -> Settings:
        """Returns the settings, with the address of the default run's server where one is noted and no other is set."""
        settings = cls()
        noted = settings.var / "server.json"
        if "temporal_address" in settings.model_fields_set or not noted.exists():
            return settings
        found = json.loads(noted.read_text())
        return settings.model_copy(update={"temporal_address": found["address"], "ui_port": found["ui_port"]})

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.var / 'evenhand.db'}"

    @property
    def letters(self) -> Path:
        return self.outbox or self.var / "outbox"
