#!/usr/bin/env python3
"""Checks one bundle of a case: its files, its log's chain, its letters. Needs Python 3.8 and nothing else.

python3 verify.py [FOLDER or BUNDLE.zip]     exit code 0: everything holds; 1: something does not; 2: no bundle there
"""

import contextlib
import hashlib
import io
import json
import os
import struct
import sys
import zipfile
import zlib

FIRST = "0" * 64
MANIFEST = "manifest.json"
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, OSError)
"""What reading a damaged zip may raise."""
FACTS = ("case_id", "n", "at", "on", "actor", "office", "command", "command_id", "result", "what", "detail", "cites")


def files_in(place):
    """Returns every file of a folder or a zip by its name, and what is wrong with the zip itself."""
    if os.path.isfile(place):
        with open(place, "rb") as file:
            return unzipped(file.read())
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, place).replace(os.sep, "/")] = file.read()
    return found, []


def unzipped(content):
    """Returns what a zip holds, a file that cannot be read left out, and what is wrong: a bundle has one way to be packed."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        names = bundle.namelist()
        for name in names:
            with contextlib.suppress(UNREADABLE):
                found[name] = bundle.read(name)
    if len(names) != len(set(names)):
        return found, ["the zip has two files of one name"]
    if content != packed(found):
        return found, ["the zip was changed or packed anew: unpack it and check the folder to see whether its files hold"]
    return found, []


def packed(files):
    """Returns the zip of files as a bundle is made: sorted, stored, every time the first that a zip can say."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            bundle.writestr(entry, files[name])
    return out.getvalue()


def manifest_hash(manifest):
    """Returns the hash of a manifest without its own."""
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def wrong_files(files, manifest):
    """Yields every file that is missing, changed, or not listed, and a manifest that was changed itself."""
    written = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    if manifest["sha256"] != manifest_hash(manifest) or files[MANIFEST] != written.encode():
        yield MANIFEST + " was changed"
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    for name in sorted(set(listed) | set(files) - {MANIFEST}):
        if name not in files:
            yield name + " is missing, or cannot be read"
        elif name not in listed:
            yield name + " is not listed in " + MANIFEST
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield name + " was changed"


def lines_in(files):
    """Returns the lines of the log, or what is wrong where they cannot be read."""
    try:
        lines = [json.loads(line) for line in files.get("log.jsonl", b"").decode("utf-8").split("\n") if line]
        for line in lines:
            if type(line["n"]) is not int or not isinstance(line["hash"], str) or not all(name in line for name in FACTS):
                return [], ["log.jsonl has a line that is none of a log"]
        return lines, []
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return [], ["log.jsonl cannot be read: " + type(error).__name__]


def line_hash(before, line):
    """Returns the hash of a line of the log, holding the hash of the line before."""
    facts = [before, *(line[name] for name in FACTS)]
    if line.get("grade") is not None:  # a line without one has the hash that earlier releases gave it
        facts.append({"grade": line["grade"]})
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def wrong_lines(lines, manifest):
    """Yields every line of the log that was changed, moved or is missing; a redacted line's hash is taken as given."""
    before = FIRST
    for expected, line in enumerate(lines, start=1):
        if line["n"] != expected:
            yield f"log.jsonl: line {expected} is missing, or not in its place"
            return
        if line["case_id"] != manifest["case"]:
            yield f"log.jsonl: line {expected} is of another case"
        if not line.get("redacted") and line["hash"] != line_hash(before, line):
            yield f"log.jsonl: line {expected} was changed, or the one before it"
        before = line["hash"]
    if (len(lines), before) != (manifest["log"]["lines"], manifest["log"]["last_hash"]):
        yield "log.jsonl does not end where the manifest says"
    redacted = sum(bool(line.get("redacted")) for line in lines)
    if redacted and manifest["audience"] != "subject-access":
        yield "log.jsonl: lines are redacted; only the customer's copy has such lines"
    if redacted != manifest["log"]["redacted"]:
        yield f"log.jsonl: {redacted} lines are redacted, the manifest says {manifest['log']['redacted']}"


def wrong_letters(files, manifest):
    """Yields every letter that is not the one whose hash was written down when it went."""
    known = {letter["file"] for letter in manifest["letters"]}
    yield from (
        name + " is no letter that " + MANIFEST + " knows" for name in sorted(files) if name.startswith("letters/") and name not in known
    )
    for letter in manifest["letters"]:
        recorded = letter["recorded_sha256"]
        content = files.get(letter["file"])
        if recorded and content is not None and hashlib.sha256(content).hexdigest() != recorded:
            yield letter["file"] + " is not the letter that was sent"


def main():
    place = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    try:
        files, wrong = files_in(place)
        if MANIFEST not in files:
            raise ValueError(MANIFEST + " is missing, or cannot be read")
        manifest = json.loads(files[MANIFEST].decode("utf-8"))
        lines, unread = lines_in(files)
        wrong += list(wrong_files(files, manifest)) + (unread or list(wrong_lines(lines, manifest))) + list(wrong_letters(files, manifest))
    except (OSError, KeyError, TypeError, AttributeError, RecursionError, *UNREADABLE) as error:
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
