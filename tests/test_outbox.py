"""The outbox is written once: what lies there may be in the post already, so that no later attempt may change it (decision 37)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from activities.carriers.carrier import CannotTell, Handed, NotNow, Parcel
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from tests.posting import MONDAY, Posting

FILES = {"pdf": b"paper", "html": b"page", "txt": b"text"}


def parcel(files: dict[str, bytes] = FILES) -> Parcel:
    return Parcel(
        case="mmo/1", name="n1", at=MONDAY, reference="mmo/1/n1", method="first-class-post", to="Quentin Testcase", address=None,
        subject="Decision", sender="A body", files=files,
    )  # fmt: skip


def lying(folder: Path) -> dict[str, bytes]:
    """Returns everything under a folder by its name, drafts too."""
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


WHOLE = {"n1.pdf": b"paper", "n1.html": b"page", "n1.txt": b"text"}


def test_the_same_letter_twice_is_one(tmp_path: Path):
    outbox = Outbox(tmp_path)

    assert outbox.hand_over(parcel()) == outbox.hand_over(parcel())

    assert lying(tmp_path) == WHOLE


@pytest.mark.parametrize("other", FILES)
def test_another_letter_under_the_same_name_never_takes_the_place_of_the_first(tmp_path: Path, other: str):
    """Whichever of its files differs, none is changed, and the error names neither case nor customer."""
    outbox = Outbox(tmp_path)
    outbox.hand_over(parcel())

    with pytest.raises(CannotTell, match=rf"Another letter lies in the outbox under this name \(n1\.{other}\)") as said:
        outbox.hand_over(parcel({**FILES, other: b"later"}))

    assert lying(tmp_path) == WHOLE
    assert "mmo" not in str(said.value) and "Quentin" not in str(said.value)


def test_half_a_letter_is_completed_by_the_same(tmp_path: Path):
    Outbox(tmp_path).hand_over(parcel({"pdf": b"paper"}))

    Outbox(tmp_path).hand_over(parcel())

    assert lying(tmp_path) == WHOLE


def test_half_a_letter_is_not_completed_by_another(tmp_path: Path):
    """Else its page would belong to one letter and its paper to another."""
    Outbox(tmp_path).hand_over(parcel({"pdf": b"paper"}))

    with pytest.raises(CannotTell):
        Outbox(tmp_path).hand_over(parcel({"html": b"later page", "pdf": b"later"}))

    assert lying(tmp_path) == {"n1.pdf": b"paper"}


def test_of_two_attempts_at_once_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The other one looked before the file was there, and finds it when it is about to name its own."""
    link = os.link

    def beaten(draft: Path, file: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        file.write_bytes(b"the other attempt's")
        link(draft, file)

    monkeypatch.setattr(os, "link", beaten)

    with pytest.raises(CannotTell):
        Outbox(tmp_path).hand_over(parcel({"pdf": b"paper"}))

    assert lying(tmp_path) == {"n1.pdf": b"the other attempt's"}


def test_a_disk_that_is_full_leaves_no_half_file_and_the_letter_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(NotNow, match="No space left"):
        Outbox(tmp_path).hand_over(parcel())

    assert lying(tmp_path) == {}


class Dying(Outbox):
    """An outbox whose worker is killed when the letter lies there and nothing says so yet."""

    def hand_over(self, parcel: Parcel) -> Handed:
        super().hand_over(parcel)
        raise KeyboardInterrupt


def test_an_attempt_of_a_later_day_leaves_the_letter_that_lies_there_and_asks_a_person(database: Engine, tmp_path: Path):
    """The next attempt came the day after, with another date on the letter, when the first was perhaps in the post (DEF-14)."""
    dying = Dying(tmp_path / "outbox")
    posting = Posting(database, Post(email=dying, paper=dying, outbox=dying))
    posting.set_up()
    notice = posting.decided("mmo/1")
    with pytest.raises(KeyboardInterrupt):
        posting.send("mmo/1", notice)
    first = lying(tmp_path / "outbox")
    posting.post, posting.now = Post.into(tmp_path / "outbox"), posting.now + timedelta(days=1)

    posting.send("mmo/1", notice)

    assert lying(tmp_path / "outbox") == first and f"{notice}.pdf" in first
    assert posting.notice("mmo/1", notice).status == "uncertain"
    [task] = [one for one in posting.tasks("mmo/1") if one.kind == "letter"]
    assert task.what.startswith(f"Find out whether the letter {notice}")


def test_an_attempt_of_the_same_day_finds_its_own_letter_and_records_it(database: Engine, tmp_path: Path):
    """The same facts make the same bytes."""
    dying = Dying(tmp_path / "outbox")
    posting = Posting(database, Post(email=dying, paper=dying, outbox=dying))
    posting.set_up()
    notice = posting.decided("mmo/1")
    with pytest.raises(KeyboardInterrupt):
        posting.send("mmo/1", notice)
    first = lying(tmp_path / "outbox")
    posting.post = Post.into(tmp_path / "outbox")

    posting.send("mmo/1", notice)

    assert lying(tmp_path / "outbox") == first and posting.notice("mmo/1", notice).status == "sent"
