# ruff: noqa: E501  # lists of hostile values
"""Hostile key files, master keys, noted heads, tokens and requests to the codec server: taken, or told in our own words; never a fault.

Policies, bodies, calendars, rehearsals, maps, redactions, spreadsheets and carriers' lists: tests/test_fuzz.py and test_fuzz_tables.py."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Engine

from activities.bodies import Body
from records.audit import read_heads
from records.database import reading
from records.masters import NoMaster, masters_in, new_line
from records.reads import reads_of
from starter.bodies import UNSEEN
from starter.cli_audit import _noted
from starter.codec_sign_in import Local
from starter.signer import BadKey, read_private, read_public
from starter.spreadsheet import UnreadableTable
from starter.staff_table import COLUMNS, staff_of
from tests import stories
from tests.codec import codec, serving
from tests.engine import ROOT, evenhand
from tests.hostile import TIMES, Hostile
from tests.test_codec_server import engine, local
from tests.test_hostile_records import NOT_FOR_A_SCREEN

__all__ = ["engine", "local"]
STAFFED = Body(body="mmo", name="Marine Management Organisation (test)", policy="mmo", keep_years=6, people=stories.MMO_STAFF.people)
FILES, REQUESTS = 120 * TIMES, 150 * TIMES
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRET = b"hunter2"
RSA = generate_private_key(65537, 2048)
PEMS = (
    KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET)), KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
)  # fmt: skip
LINES = "\n".join(new_line() for _ in range(2)).encode()
HEADS = json.dumps({"certificates": [0, "0" * 64], "log/mmo/1": [3, "ab"]}).encode()


def spoilt(hostile: Hostile, whole: tuple[bytes, ...]) -> bytes:
    """Returns a file that was whole once: cut, doubled, with bytes changed or put in; or bytes that never were one."""
    chance = hostile.chance
    one = bytearray(chance.choice(whole))
    match chance.randrange(7):
        case 0:
            return bytes(one[: chance.randrange(len(one))])
        case 1:
            return bytes(one) * 2
        case 2:
            for _ in range(chance.randrange(1, 5)):
                one[chance.randrange(len(one))] = chance.randrange(256)
            return bytes(one)
        case 3:
            return hostile.text().encode("utf-8", "surrogatepass") + bytes(one)
        case 4:
            return json.dumps(hostile.value()).encode("utf-8", "surrogatepass")
        case 5:
            return chance.randbytes(chance.randrange(200))
    return bytes(one).replace(b"\n", chance.choice((b"\r\n", b"\0", b"", b"\n\n")))


READERS: dict[str, tuple[tuple[bytes, ...], Callable[[Path], object], tuple[type[Exception], ...]]] = {
    "private key": (PEMS, read_private, (BadKey,)),
    "public key": (PEMS, read_public, (BadKey,)),
    "master keys": ((LINES,), lambda file: masters_in(file.read_bytes().decode(errors="replace"), where=str(file)), (NoMaster,)),
    "noted heads": ((HEADS,), _noted, (typer.Exit,)),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_hostile_file_is_taken_or_told_and_never_quoted(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    whole, read, told = READERS[kind]
    file, results = tmp_path / "any", Counter[str]()
    for n in range(FILES):
        content = whole[0] if n == 0 else spoilt(Hostile(n), whole)
        file.write_bytes(content)
        try:
            read(file)
        except told as error:
            said = f"{error}{capfd.readouterr().err}"
            assert str(file) in said and not NOT_FOR_A_SCREEN.search(said) and len(said) < 600, said
            assert SECRET.decode() not in said and "BEGIN" not in said
            results["told"] += 1
        else:
            results["taken"] += 1
    print(f"{kind}: {dict(results)}")
    assert kind == "public key" or results["taken"], "the first is whole"
    assert results["told"] > FILES // 3


def test_noted_heads_are_read_as_they_were_written():
    assert read_heads(HEADS.decode()) == {"certificates": (0, "0" * 64), "log/mmo/1": (3, "ab")}


def cell(hostile: Hostile, column: str) -> str:
    """Returns a cell of a staff list: often one that could stand there."""
    fitting = {"id": "sample-one", "name": "Sample One", "grade": "8", "offices": "decision-maker", "valid_from": "2027-01-01"}
    return fitting.get(column, "") if hostile.chance.random() < 0.6 else hostile.text()[:400]


def test_a_hostile_staff_list_is_taken_or_told_by_line_and_column():
    """A fault says line, column, what was found and what would be right, in signs that can be seen, on one line."""
    results: Counter[str] = Counter()
    for n in range(FILES * 2):
        hostile = Hostile(n)
        names = (
            ["id", "name", *hostile.chance.sample(COLUMNS[2:], 3)]
            if hostile.chance.random() < 0.8
            else [hostile.text()[:40] for _ in range(3)]
        )
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(names)
        writer.writerows([[cell(hostile, one) for one in names] for _ in range(hostile.chance.randrange(4))])
        content = out.getvalue().encode("utf-8", "surrogatepass")
        try:
            table = staff_of(content if n % 4 else spoilt(hostile, (content,)), STAFFED)
        except UnreadableTable as error:
            assert str(error) and not NOT_FOR_A_SCREEN.search(str(error)), str(error)
            results["no table"] += 1
            continue
        results["told" if table.faults else "taken"] += 1
        for fault in table.faults:
            said = str(fault)
            assert fault.line > 0 and fault.column and fault.found and fault.right
            assert not NOT_FOR_A_SCREEN.search(said) and "\n" not in said and len(said) < 1000, ascii(said)
        for person in table.people if not table.faults else ():
            assert person.id.isprintable() and not UNSEEN.search(person.name), ascii(person)
    print(f"staff lists: {dict(results)}")
    assert results["told"] and results["taken"] and results["no table"], results


def body(hostile: Hostile) -> bytes:
    """Returns the body of a request: payloads of any kind, or what is none."""
    chance = hostile.chance
    if chance.random() < 0.4:
        return spoilt(hostile, (b'{"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}',))
    encoding = chance.choice(("binary/evenhand-sealed-1", "json/plain", hostile.text()[:40]))
    named = {"encoding": encoding, "evenhand-key": chance.choice(("k-none", "", hostile.text()[:40])), "evenhand-sealed": "1"}
    metadata = {name: base64.b64encode(value.encode("utf-8", "replace")).decode() for name, value in named.items()}
    data = base64.b64encode(chance.randbytes(chance.choice((0, 11, 12, 13, 200)))).decode()
    return json.dumps({"payloads": [{"metadata": metadata, "data": data}] * chance.choice((1, 2, 3))}).encode()


def test_hostile_requests_to_the_codec_server_are_answered_and_read_nothing(engine: Engine, local: Local):
    """A token of any shape, a path of any kind, a body that is none: no answer is the server's own fault, and no case is read."""
    results: Counter[int] = Counter()
    made = codec(engine, sign_in=local)
    with serving(made) as address, httpx.Client(base_url=address) as client:
        for n in range(REQUESTS):
            made.counts.clear()
            hostile = Hostile(n)
            token = local.token if n % 3 else hostile.text()[:200].encode("utf-8", "replace").decode("latin1")
            headers = {"Authorization": f"Bearer {token}", "X-Evenhand-Case": hostile.text()[:100], "Origin": hostile.text()[:50]}
            kept = [(name, value.encode("latin1", "replace")) for name, value in headers.items() if name != "Origin" or n % 5 == 0]
            try:
                answer = client.post(
                    hostile.chance.choice(("/decode", "/encode", "/decode/../encode")), content=body(hostile), headers=kept
                )
            except (httpx.LocalProtocolError, httpx.RemoteProtocolError):  # no header at all, by either's own reading
                results[0] += 1
                continue
            results[answer.status_code] += 1
            assert answer.status_code < 500, (n, answer.status_code, answer.text)
            assert "Traceback" not in answer.text
        with reading(engine) as session:
            assert reads_of(session, "mmo/1") == ()
    print(f"{REQUESTS} requests: {dict(results)}")
    assert results[200] and results[400] and results[401], results


@pytest.mark.parametrize(
    ("name", "value"), [("UI_PORT", "abc"), ("RECONCILE_AT", "01:30"), ("SMTP_PORT", "\x1b[31m"), ("POST_ROUND_MINUTES", "9" * 5000)]
)
def test_a_setting_that_cannot_be_is_told_by_its_name_and_never_traced(name: str, value: str):
    """On the command line, and by a worker in a container; what was set is not quoted, for it could be a secret in the wrong place."""
    env = {f"EVENHAND_{name}": value}
    line = evenhand("engine", "check", env=env)
    worker = subprocess.run(
        [sys.executable, "-m", "worker"], env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert (line.returncode, worker.returncode) == (2, 1)
    for said in (line.stderr, worker.stderr):
        assert f"EVENHAND_{name}: " in said and "Traceback" not in said and "Warning" not in said, said
        assert not NOT_FOR_A_SCREEN.search(said) and value not in said and len(said) < 500
