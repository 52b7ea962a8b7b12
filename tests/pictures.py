"""Every letter of every policy as pictures, to be looked at: python -m tests.pictures FOLDER [POLICY] [--email].

Writes one PNG a letter with its pages side by side (72 dots an inch), and with --email its HTML too, for a browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pypdfium2
from PIL import Image

from activities.made import make
from tests.test_letters import STORIES, composed

LETTERHEAD = ("Sample Offices", "1 Example Square", "Sampletown, ZZ99 9ZZ", "Telephone 000 000 0000", "contact@example.org")


def picture_of(pdf: bytes, *, dots: int = 72) -> Image.Image:
    """Returns a PDF's pages side by side, in grey and colour as they are."""
    pages = [page.render(scale=dots / 72).to_pil() for page in pypdfium2.PdfDocument(pdf)]
    sheet = Image.new("RGB", (sum(page.width for page in pages) + 4 * (len(pages) - 1), pages[0].height), "grey")
    left = 0
    for page in pages:
        sheet.paste(page, (left, 0))
        left += page.width + 4
    return sheet


def draw(folder: Path, only: str | None, email: bool) -> int:
    """Write the pictures and return how many letters they show."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [(name, kind) for name, kind in STORIES if only in (None, name)]
    for name, kind in chosen:
        made = make(composed(STORIES[name, kind](), kind), policy=name, sender=LETTERHEAD)
        picture_of(made.files["pdf"]).save(folder / f"{name}-{kind}.png", optimize=True)
        if email:
            (folder / f"{name}-{kind}.html").write_bytes(made.files["html"])
    return len(chosen)


if __name__ == "__main__":
    words = [one for one in sys.argv[1:] if not one.startswith("--")]
    print(draw(Path(words[0]), words[1] if len(words) > 1 else None, "--email" in sys.argv), "letters")
