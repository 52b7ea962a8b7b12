"""Case keys: one a case, wrapped, rotated under open cases, and gone for good when destroyed. Secrets are shown nowhere."""

from __future__ import annotations

import logging
import stat
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, select

from records.case_key import CaseKey, Unsealable
from records.database import reading, transaction
from records.keys import INSTALLATION, KeyStore, NoKeys, file_keys
from records.masters import FileMasters, NoMaster, TextMasters, make_file, masters_in, new_line
from records.seal_records import seal_records
from records.tables import LetterFileRow, TextRow
from records.vault import DESTROYED, CaseVault, opened_file, opened_text, text_place
from starter.doctor import Ill, Patient
from starter.doctor_keys import of_keys
from tests.engine import evenhand
from tests.handed_over import CASE, Records
from worker.keys import checked_for_work, keys_for
from worker.settings import Settings

OTHER = "mmo/other"
Row = TypeVar("Row", TextRow, LetterFileRow)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'k.db'}" if request.param == "sqlite" else request.getfixturevalue("fresh_postgres_url")


@pytest.fixture
def master(tmp_path: Path) -> Path:
    make_file(tmp_path / "master.key")
    return tmp_path / "master.key"


def store(url: str, master: Path, **facts: float) -> KeyStore:
    made = KeyStore(url, FileMasters(master), **facts)
    made.create()
    return made


def test_ids_that_are_not_of_our_making_reach_no_key_store(url: str, master: Path):
    """PostgreSQL takes no NUL in a text; whoever reaches the engine may write one."""
    one = store(url, master)

    for key_id in ("", "k-\x00", "k-" + "0" * 19 + "\n", "k-" + "0" * 5000, "k-\ud800", "no-such-key", "k-" + "0" * 20):
        assert one.by_id(key_id) is None
    for case in ("a\x00b", "x" * 101, "\ud800", "a b", "../a"):
        with pytest.raises(ValueError, match="no case can have this id"):
            one.of(case)
    with one.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM case_key").scalar_one() == 0
    one.engine.dispose()


def test_a_case_has_one_key_and_another_case_another(url: str, master: Path):
    one = store(url, master)
    key = one.of("mmo/1")

    assert one.of("mmo/1").secret == key.secret == store(url, master).of("mmo/1").secret
    assert store(url, master).by_id(key.id) == key
    assert one.of("mmo/2").secret != key.secret
    assert "mmo" not in key.id and len(key.secret) == 32
    one.engine.dispose()


def test_two_makers_of_a_key_end_with_the_same(url: str, master: Path):
    stores, gate = [store(url, master) for _ in range(6)], threading.Barrier(6)

    def make(one: KeyStore) -> bytes:
        gate.wait(20)
        return one.of("mmo/raced").secret

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(make, stores))) == 1
    for one in stores:
        one.engine.dispose()


def test_a_destroyed_key_is_gone_at_once_here_and_soon_elsewhere(url: str, master: Path):
    """A process that remembers it reads it no longer than it says it remembers."""
    here, elsewhere = store(url, master), store(url, master, remembered_for=0.0)
    key = here.of("mmo/1")
    sealed = key.seal(b"what was said", "somewhere")
    assert elsewhere.by_id(key.id) is not None

    here.destroy("mmo/1")

    assert here.by_id(key.id) is None and elsewhere.by_id(key.id) is None
    assert here.destroyed_on("mmo/1") is not None
    after = here.of("mmo/1")
    with pytest.raises(Unsealable):
        after.open(sealed, "somewhere")
    assert after.secret != here.of("mmo/1").secret, "what is sealed for a destroyed case is sealed with a key that nobody keeps"
    for one in (here, elsewhere):
        one.engine.dispose()


def test_nothing_of_a_destroyed_key_is_left_in_the_stores_files(tmp_path: Path, master: Path):
    one = store(f"sqlite:///{tmp_path / 'k.db'}", master)
    one.of("mmo/kept"), one.of("mmo/gone")
    with one.engine.connect() as connection:
        wrapped = connection.exec_driver_sql("SELECT wrapped FROM case_key WHERE case_id = 'mmo/gone'").scalar_one()
    everything = lambda: b"".join(file.read_bytes() for file in tmp_path.glob("k.db*"))  # noqa: E731  # read twice
    assert wrapped in everything()

    one.destroy("mmo/gone")

    assert wrapped not in everything()
    assert one.of("mmo/kept")


def test_a_case_that_never_came_to_be_may_be_opened_under_a_new_key(url: str, master: Path):
    one = store(url, master)
    first = one.of("mmo/1")

    one.forget("mmo/1")

    assert one.by_id(first.id) is None and one.of("mmo/1").secret != first.secret
    one.engine.dispose()


def test_keys_wrapped_anew_are_the_same_keys_and_the_old_master_opens_none(url: str, master: Path, tmp_path: Path):
    one, elsewhere = store(url, master), store(url, master, remembered_for=0.0)
    secrets = {case: one.of(case).secret for case in ("mmo/1", "mmo/2", "mmo/3")}
    one.destroy("mmo/3")
    [old] = FileMasters(master).ids()

    new = one.masters.add()  # type: ignore[attr-defined]  # a file
    assert one.rewrap() == 2 and one.rewrap() == 0
    assert one.wrapped_by() == {new: 2}
    FileMasters(master).drop(old)

    assert [elsewhere.of(case).secret for case in ("mmo/1", "mmo/2")] == [secrets["mmo/1"], secrets["mmo/2"]]
    assert elsewhere.of("mmo/3").secret != secrets["mmo/3"]
    assert elsewhere.of("mmo/4") and elsewhere.wrapped_by() == {new: 3}
    for each in (one, elsewhere):
        each.engine.dispose()


def test_the_master_that_wraps_new_keys_is_not_dropped(master: Path):
    masters = FileMasters(master)
    with pytest.raises(NoMaster, match="rotate-master makes another first"):
        masters.drop(masters.current())
    with pytest.raises(NoMaster, match="holds no master key m-none"):
        masters.drop("m-none")


def test_a_master_key_file_is_its_owners_alone_and_never_made_twice(tmp_path: Path):
    path = tmp_path / "deep" / "master.key"
    assert make_file(path) and stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    assert not make_file(path) and path.read_text() == before
    FileMasters(path).add()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text().startswith(before)
    assert [one.name for one in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "holds no master key"),
        ("m1", "key 1 of 1 is no master key"),
        ("m1:tooshort", "key 1 of 1 is no master key"),
        (f"m1:{'A' * 44}", "key 1 of 1 is no master key"),
        (f"{new_line()}\nM1:{'!' * 43}=", "key 2 of 2 is no master key"),
        ("\n".join([f"m1:{new_line().partition(':')[2]}"] * 2), "two master keys have the id m1"),
    ],
    ids=("nothing", "no secret", "short", "no base64 of 32 bytes", "the second", "twice the same"),
)
def test_what_is_no_master_key_is_said_without_quoting_it(given: str, said: str):
    with pytest.raises(NoMaster, match=said) as raised:
        masters_in(given, where="EVENHAND_MASTER_KEY")
    for secret in (part.partition(":")[2] for part in given.splitlines()):
        assert not secret or secret not in str(raised.value)


def test_the_wrong_master_is_told_from_a_missing_one(tmp_path: Path):
    first, other = new_line(), new_line()
    id = first.partition(":")[0]
    made = KeyStore(f"sqlite:///{tmp_path / 'k.db'}", TextMasters(SecretStr(first)))
    made.create()
    made.of("mmo/1")

    with pytest.raises(NoMaster, match=f"wrapped by the master key {id}, which EVENHAND_MASTER_KEY does not hold"):
        KeyStore(f"sqlite:///{tmp_path / 'k.db'}", TextMasters(SecretStr(other))).of("mmo/1")
    with pytest.raises(NoMaster, match="another key has that id"):
        KeyStore(f"sqlite:///{tmp_path / 'k.db'}", TextMasters(SecretStr(f"{id}:{other.partition(':')[2]}"))).of("mmo/1")


class KeyService:
    """A key service as Masters see it: the masters never leave it. Remembers what it was asked."""

    def __init__(self) -> None:
        self.held = TextMasters(SecretStr(new_line()))
        self.asked: list[str] = []

    def current(self) -> str:
        return self.held.current()

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        self.asked.append("wrap")
        return self.held.wrap(key)

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        self.asked.append("unwrap")
        return self.held.unwrap(master_id, wrapped)


def test_a_key_service_wraps_and_unwraps_and_is_asked_once_a_key(tmp_path: Path):
    service = KeyService()
    one = KeyStore(f"sqlite:///{tmp_path / 'k.db'}", service)
    one.create()
    for _ in range(5):
        one.of("mmo/1")
    assert service.asked == ["wrap", "unwrap"]


def test_what_was_sealed_opens_at_its_place_and_its_case_alone():
    key = CaseKey("mmo/1", "k-1", b"k" * 32)
    sealed = key.seal(b"what was said", "case_text/text:1")

    assert key.open(sealed, "case_text/text:1") == b"what was said"
    for wrong, place in ((key, "case_text/text:2"), (CaseKey("mmo/2", "k-1", b"k" * 32), "case_text/text:1")):
        with pytest.raises(Unsealable):
            wrong.open(sealed, place)
    for damaged in (sealed[:-1], b"", sealed[:5], bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(Unsealable):
            key.open(damaged, "case_text/text:1")


def test_a_reference_says_nothing_of_its_text_without_the_key():
    """A list of names hashed one by one must not find who a case is about."""
    one, other = CaseKey("mmo/1", "k-1", b"k" * 32), CaseKey("mmo/1", "k-1", b"o" * 32)
    assert one.mark("Casey Sample") == one.mark("Casey Sample") != other.mark("Casey Sample")


# In the records


def rows(session: Session, kind: type[Row]) -> list[Row]:
    return list(session.exec(select(kind).where(kind.case_id == CASE)).all())  # type: ignore[attr-defined]  # both tables have it


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path).restricted()


def test_texts_and_letters_stand_sealed_and_read_as_they_were(records: Records):
    with reading(records.engine) as session:
        texts = rows(session, TextRow)
        files = rows(session, LetterFileRow)
        vault, keys = CaseVault(session, CASE), file_keys(records.folder)
        assert len(texts) > 5 and len(files) > 5
        assert all(row.text.startswith("sealed:1:") and vault.texts[row.ref] not in row.text for row in texts)
        assert all(row.content.startswith(b"evenhand-sealed-1:") for row in files)
        assert {opened_file(keys, row)[:5] for row in files if row.ending == "pdf"} == {b"%PDF-"}


def test_a_destroyed_key_leaves_destroyed_in_place_of_every_text(records: Records):
    keys = file_keys(records.folder)
    keys.destroy(CASE)

    with reading(records.engine) as session:
        assert set(CaseVault(session, CASE).texts.values()) == {DESTROYED}
        row = rows(session, LetterFileRow)[0]
        with pytest.raises(Unsealable):
            opened_file(keys, row)


def test_a_text_moved_to_another_row_or_case_does_not_open(records: Records):
    with reading(records.engine) as session:
        one, other = rows(session, TextRow)[:2]
        keys = file_keys(records.folder)
        assert opened_text(keys, CASE, one.ref, other.text) == DESTROYED
        assert opened_text(keys, OTHER, one.ref, one.text) == DESTROYED
        assert opened_text(keys, CASE, one.ref, one.text) not in (DESTROYED, one.text)
        for damaged in (one.text[:-3], "sealed:1:", "sealed:1:k-none:AAAA", one.text + "é"):
            assert opened_text(keys, CASE, one.ref, damaged) == DESTROYED


def test_records_of_an_earlier_release_are_read_and_then_sealed(records: Records):
    """keys seal-records: what stood readable reads the same, sealed; a second run finds nothing."""
    with transaction(records.engine) as session:
        before = dict(CaseVault(session, CASE).texts)
        for row in rows(session, TextRow):
            row.text = before[row.ref]
        for file in rows(session, LetterFileRow):
            file.content = opened_file(file_keys(records.folder), file)
    with reading(records.engine) as session:
        assert CaseVault(session, CASE).texts == before

    done, again = seal_records(records.engine), seal_records(records.engine)

    assert done.cases == 1 and done.texts == len(before) and done.letters > 5
    assert again.cases == again.texts == again.letters == 0
    with reading(records.engine) as session:
        assert CaseVault(session, CASE).texts == before
        assert all(row.text.startswith("sealed:1:") for row in rows(session, TextRow))


def test_records_opened_without_keys_show_and_take_no_text(empty_database: Engine):
    """A door that forgot the keys must fail, not write readable text."""
    without = empty_database.execution_options(evenhand_keys=None)
    from records.database import create_all

    create_all(empty_database)
    with pytest.raises(NoKeys), transaction(without) as session:
        CaseVault(session, CASE).put("Casey Sample")


def test_a_text_is_named_and_kept_at_its_own_place():
    assert text_place("text:1") != text_place("text:2")


# Settings and secrets


def settings(folder: Path, **given: object) -> Settings:
    return Settings(var=folder, **given)  # type: ignore[arg-type]  # as the environment gives them


def test_production_does_not_start_without_keys_of_its_own(tmp_path: Path):
    database = "postgresql+psycopg://evenhand@127.0.0.1:1/evenhand"
    with pytest.raises(NoKeys, match="needs EVENHAND_KEYS_URL and EVENHAND_MASTER_KEY_FILE"):
        checked_for_work(settings(tmp_path, database_url=database))
    with pytest.raises(NoKeys, match="needs EVENHAND_MASTER_KEY_FILE:"):
        checked_for_work(settings(tmp_path, database_url=database, keys_url=f"sqlite:///{tmp_path / 'k.db'}"))
    named = settings(tmp_path, database_url=database, keys_url=f"sqlite:///{tmp_path / 'k.db'}", master_key=SecretStr(new_line()))
    assert checked_for_work(named).of(INSTALLATION)
    assert not (tmp_path / "master.key").exists(), "none is made in passing"
    gone = settings(tmp_path, database_url=database, keys_url=f"sqlite:///{tmp_path / 'k.db'}", master_key_file=tmp_path / "none")
    with pytest.raises(NoKeys, match="names no file that is there"):
        checked_for_work(gone)


def test_no_secret_is_in_a_dump_a_repr_a_log_or_a_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    line = new_line()
    secret = line.partition(":")[2]
    given = settings(tmp_path, master_key=SecretStr(line))
    keys = keys_for(given)
    key = keys.of("mmo/1")
    shown = [repr(given), str(given.model_dump()), given.model_dump_json(), repr(keys.masters), repr(keys), repr(key), str(key)]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("evenhand").info("%s %s %s", given, keys.masters, key)
    wrong = KeyStore(given.keys_url or f"sqlite:///{tmp_path / 'keys.db'}", TextMasters(SecretStr(new_line())))
    try:
        wrong.of("mmo/1")
    except NoMaster:
        shown.append(traceback.format_exc())
    shown.append(caplog.text)

    assert len(shown) == 9 and "Traceback" in shown[-2]
    for text in shown:
        assert secret not in text and secret[:12] not in text
        assert repr(key.secret) not in text and key.secret.hex() not in text


def test_the_command_line_rotates_the_master_key_and_shows_no_key(tmp_path: Path):
    env = {"EVENHAND_VAR": str(tmp_path)}
    keys = file_keys(tmp_path)
    secret = keys.of("mmo/1").secret
    [old] = FileMasters(tmp_path / "master.key").ids()
    held = (tmp_path / "master.key").read_text()

    early = evenhand("keys", "drop-master", old, env=env)
    rotated = evenhand("keys", "rotate-master", env=env)
    listed = evenhand("keys", "masters", env=env)
    dropped = evenhand("keys", "drop-master", old, env=env)

    assert early.returncode == 1 and "still wraps" in early.stderr
    assert rotated.returncode == 0 and "1 key wrapped anew" in rotated.stdout, rotated.stderr
    assert "wraps new keys" in listed.stdout and old in listed.stdout + dropped.stdout
    assert dropped.returncode == 0, dropped.stderr
    assert KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", FileMasters(tmp_path / "master.key")).of("mmo/1").secret == secret
    said = "".join(one.stdout + one.stderr for one in (early, rotated, listed, dropped))
    for line in (held + (tmp_path / "master.key").read_text()).splitlines():
        assert line.partition(":")[2] not in said


@pytest.mark.parametrize("ill", ["well", "lost", "open", "turning", "away"])
async def test_the_doctor_says_what_ails_the_keys(tmp_path: Path, ill: str):
    given = settings(tmp_path, keys_url=f"sqlite:///{tmp_path / 'k.db'}", master_key_file=tmp_path / "master.key")
    make_file(tmp_path / "master.key")
    keys_for(given).of("mmo/1")
    masters = FileMasters(tmp_path / "master.key")
    if ill == "lost":
        (tmp_path / "master.key").write_text(new_line())
    elif ill == "open":
        (tmp_path / "master.key").chmod(0o640)
    elif ill == "turning":
        masters.add()
    elif ill == "away":
        with keys_for(given).engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE case_key")
    check = of_keys(Patient(given, None, None))["case keys"]
    said = {"lost": "does not hold", "open": "by others", "turning": "still wrapped by", "away": "does not answer"}

    if ill == "well":
        assert f"1 key, wrapped by {masters.current()}" == await check()
        return
    with pytest.raises(Ill, match=said[ill]) as raised:
        await check()
    assert raised.value.state == ("warn" if ill in ("open", "turning") else "fail")
