"""The post room, from the settings: which carrier takes email and which takes paper."""

from __future__ import annotations

from activities.carriers.post import Post
from worker.settings import Settings


def post_of(settings: Settings) -> Post:
    """Returns the carriers that the settings name."""
    return Post.into(settings.letters)
