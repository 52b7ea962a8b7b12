#!/usr/bin/env python3
"""Checks one bundle of a case: its files, its log's chain, its letters. Needs Python 3.8 and nothing else.

python3 verify.py [FOLDER or BUNDLE.zip]     exit code 0: everything holds; 1: something does not; 2: no bundle there
"""

import hashlib
import json
import os
import sys
import zipfile

FIRST = "0" * 64
MANIFEST = "manifest.json"
FACTS = ("case_id", "n", "at", "on", "actor", "office", "command", "command_id", "result", "what", "detail", "cites")


def files_in(place):
    """Returns every file of a folder or a zip by its name."""
    if os.path.isfile(place):
        with zipfile.ZipFile(place) as bundle:
            names = bundle.namelist()
            if len(names) != len(set(names)):
                raise ValueError("two files of one name")
            return {name: bundle.read(name) for name in names}
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, place).replace(os.sep, "/")] = file.read()
    return found


def wrong_files(files, manifest):
    """Yields every file that is missing, changed, or not listed."""
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    for name in sorted(set(listed) | set(files) - {MANIFEST}):
        if name not in files:
            yield name + " is missing"
        elif name not in listed:
            yield name + " is not listed in " + MANIFEST
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield name + " was changed"


def line_hash(before, line):
    """Returns the hash of a line of the log, holding the hash of the line before."""
    facts = json.dumps([before, *(line[name] for name in FACTS)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(facts.encode()).hexdigest()


def wrong_lines(lines, manifest):
    """Yields every line of the log that was changed or is missing; a redacted line's hash is taken as given."""
    before = FIRST
    for expected, line in enumerate(lines, start=1):
        if line["n"] != expected:
            yield f"log.jsonl: line {expected} is missing"
            return
        if line["case_id"] != manifest["case"]:
            yield f"log.jsonl: line {expected} is of another case"
        if not line.get("redacted") and line["hash"] != line_hash(before, line):
            yield f"log.jsonl: line {expected} was changed, or the one before it"
        before = line["hash"]
    if (len(lines), before) != (manifest["log"]["lines"], manifest["log"]["last_hash"]):
        yield "log.jsonl does not end where the manifest says"
    redacted = sum(bool(line.get("redacted")) for line in lines)
    if redacted != manifest["log"]["redacted"]:
        yield f"log.jsonl: {redacted} lines are redacted, the manifest says {manifest['log']['redacted']}"


def wrong_letters(files, manifest):
    """Yields every letter that is not the one whose hash was written down when it went."""
    for letter in manifest["letters"]:
        recorded = letter["recorded_sha256"]
        content = files.get(letter["file"])
        if recorded and content is not None and hashlib.sha256(content).hexdigest() != recorded:
            yield letter["file"] + " is not the letter that was sent"


def main():
    place = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    try:
        files = files_in(place)
        manifest = json.loads(files[MANIFEST].decode("utf-8"))
        lines = [json.loads(line) for line in files.get("log.jsonl", b"").decode("utf-8").split("\n") if line]
        wrong = list(wrong_files(files, manifest)) + list(wrong_lines(lines, manifest)) + list(wrong_letters(files, manifest))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        print(f"No bundle that can be read: {type(error).__name__} {error}")
        return 2
    redacted = sum(bool(line.get("redacted")) for line in lines)
    unknown = sum(not letter["recorded_sha256"] for letter in manifest["letters"])
    for one in wrong:
        print("WRONG: " + one)
    print(f"Case {manifest['case']}, for {manifest['audience']}, as it stood on {manifest['dated']}.")
    print(f"Files: {len(manifest['files'])} listed. Log: {len(lines)} lines, of these {len(lines) - redacted} checked by their own hash")
    print(f"and {redacted} redacted, their hash taken as given.")
    print(f"Letters: {len(manifest['letters'])} files, of these {unknown} without a hash written down by an earlier release.")
    print("Something does not hold." if wrong else "Everything holds.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
