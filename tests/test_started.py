"""A command that tests fork is the command that the program runs: the same words give the same answer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.engine import ROOT, evenhand
from tests.started import PROGRAM


@pytest.mark.parametrize("words", [("--help",), ("nonsense",), ("case", "list"), ("policy", "list", "--json")], ids=" ".join)
def test_a_forked_command_answers_as_the_installed_program(words: tuple[str, ...], tmp_path: Path):
    own = {"EVENHAND_VAR": str(tmp_path / "none")}
    whole = subprocess.run([PROGRAM, *words], env={**os.environ, "COLUMNS": "200", **own}, cwd=ROOT, capture_output=True, text=True)

    forked = evenhand(*words, env=own)

    assert whole.stdout or whole.stderr
    assert (forked.returncode, forked.stdout, forked.stderr) == (whole.returncode, whole.stdout, whole.stderr)
