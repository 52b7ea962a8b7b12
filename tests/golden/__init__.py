"""Histories and messages of synthetic cases, kept for ever: only ever added to, never edited."""
