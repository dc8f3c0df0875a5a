"""The sample town as its tests look at it; it asserts nothing."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from deploy.sample_town.town import Story, stories, table

TODAY = date(2026, 11, 24)
STORIES = stories()
ENTERPRISES = {row["uscc"]: row for row in table("enterprises")}
DEPARTMENTS = {row["id"] for row in table("departments")}
LIAISONS = {row["id"] for row in table("liaisons")}
TIES = table("ties")
WRITTEN = ("note", "text", "answer", "words", "reason", "evidence", "blocker")

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def open_ties(role: str) -> dict[str, str]:
    """Who is tied to each enterprise today."""
    return {
        row["uscc"]: row["liaison_id"] for row in TIES if row["role"] == role and not row["until"]
    }


def steps_of(what: str) -> Iterator[Mapping[str, Any]]:
    return (step for story in STORIES for step in story.steps if step["do"] == what)


def words_of(story: Story) -> list[str]:
    """Everything that is written in a story for people to read."""
    sent = story.submission
    found = [sent["summary"], sent["detail"], sent.get("location", "")]
    found += [step[name] for step in story.steps for name in WRITTEN if name in step]
    return found
