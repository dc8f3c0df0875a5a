"""Looks for people in logs: whom the sample town names must not be found in any, in whatever way it is written."""

import json
from collections.abc import Collection

from deploy.sample_town.town import stories, table


def people() -> set[str]:
    """Names and telephone numbers of the sample town's people, and the requesters that are no firm."""
    found: set[str] = {row["name"] for row in table("liaisons")}
    for story in stories():
        requester = story.submission["requester"]
        found.update(str(value) for value in requester.get("contact", {}).values())
        if requester["kind"] == "resident":
            found.add(requester["name"])
    return found


def named_in(text: str, wanted: Collection[str]) -> set[str]:
    """Which of `wanted` are in a log: as they are, escaped as JSON does it, or as the bytes of a message."""
    return {each for each in wanted if any(form in text for form in _forms(each))}


def _forms(name: str) -> tuple[str, ...]:
    escaped = json.dumps(name)[1:-1]
    as_bytes = repr(name.encode())[2:-1]
    # A representation inside of a line of JSON has its backslashes twice.
    return (name, escaped, as_bytes, *(each.replace("\\", "\\\\") for each in (escaped, as_bytes)))
