"""Settings: whatever is printed, dumped or raised of them, no password shows; every field is asked, so a new one is too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from starter.acting import NobodyNamed, who_acts
from tests.engine import evenhand
from worker.logs import secrets_of
from worker.settings import Settings, wrong_settings

PASSWORD = "Sesame-77-open"
ADDRESS = f"postgresql+psycopg://evenhand:{PASSWORD}@127.0.0.1:1/evenhand?password={PASSWORD}"
NO_SECRET = {
    "codec_audience", "codec_claim", "codec_group", "email_carrier", "engine_metrics_address", "log_format", "log_level", "metrics_address",
    "notify_email_file", "notify_email_template", "notify_postage", "notify_reply_to", "oidc_client_id", "oidc_person_claim", "oidc_scope",
    "paper_carrier", "signing_issuer", "smtp_from", "smtp_host", "smtp_security", "smtp_user", "task_queue", "temporal_address",
    "temporal_namespace", "temporal_profile",
}  # fmt: skip
"""Texts that are no address with a place for a password in it: names, ids, hosts, words of a list."""
FIELDS = sorted(set(Settings.model_fields) - NO_SECRET)


def test_every_field_but_names_and_hosts_is_asked():
    assert set(Settings.model_fields) >= NO_SECRET, "one of these is no setting any more"
    assert {"database_url", "keys_url", "otlp_endpoint", "notify_url", "smtp_password", "master_key"} <= set(FIELDS)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [ADDRESS, f"https://evenhand:{PASSWORD}@host.example"], ids=["database", "web"])
def test_no_password_in_a_setting_is_ever_shown(field: str, value: str):
    """In no text of the settings, no dump, and no error; a file's path is no place for one."""
    if Settings.model_fields[field].annotation in (Path, Path | None):
        return
    try:
        one = Settings.model_validate({field: value})
    except ValidationError as error:
        said = [str(error), repr(error), str(wrong_settings(error))]
        assert f"EVENHAND_{field.upper()}" in said[2]
    else:
        holder = {"settings": one}
        said = [
            repr(one), str(one), f"{one}", one.model_dump_json(), str(one.model_dump()), json.dumps(one.model_dump(mode="json")),
            repr(list(one)), repr(vars(one)), str(holder), repr(one.model_copy()), repr(one.model_fields_set),
        ]  # fmt: skip
        assert isinstance(getattr(one, field), SecretStr)
    assert not [text for text in said if PASSWORD in text]


def test_a_traceback_of_settings_shows_none():
    """A fault with the settings at hand, as a tool that prints local values would show it."""
    import traceback

    try:
        who_acts(Settings(database_url=SecretStr(ADDRESS), keys_url=SecretStr(ADDRESS)), None)
    except NobodyNamed as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "settings = Settings(" in shown and "database_url=SecretStr('*" in shown and PASSWORD not in shown


def test_one_place_gives_the_address_out_and_logs_know_every_password():
    one = Settings(
        database_url=SecretStr(ADDRESS), keys_url=SecretStr("postgresql://k:other-secret@h/k"), smtp_password=SecretStr("third-one")
    )

    assert one.database == ADDRESS and one.production
    assert set(secrets_of(one)) == {PASSWORD, "other-secret", "third-one"}


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "NOTIFY_URL", "CODEC_ISSUER", "CODEC_ORIGIN"])
def test_an_address_that_is_shown_takes_no_password(tmp_path: Path, name: str):
    done = evenhand("case", "list", env={"EVENHAND_VAR": str(tmp_path), f"EVENHAND_{name}": f"https://u:{PASSWORD}@host.example"}, wait=60)

    assert done.returncode == 2 and f"EVENHAND_{name}" in done.stderr and "right would be" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr and "Traceback" not in done.stderr
