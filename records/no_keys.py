"""What is said where keys are missing; apart from what reads them, so that the command line starts fast."""

from __future__ import annotations


class NoMaster(Exception):
    """A master key is not there, or none that can be read; says where it was looked for, never what was found."""


class NoKeys(Exception):
    """Records were opened without the keys that their texts are sealed with."""
