"""What in an event may be about a person: the fields that an erasure overwrites, and no others."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.contracts.vocabulary import RequesterKind

_MILESTONE: Final = ("title", "evidence", "blocker")

PERSONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "liaison.request.registered.v1": (
        "requester.id",
        "requester.name",
        "summary",
        "detail",
        "location",
        "attachments",
    ),
    "liaison.request.amended.v1": ("message",),
    "liaison.request.withdrawn.v1": ("reason",),
    "liaison.return_visit.answered.v1": ("words",),
    "liaison.offer.declined.v1": ("note",),
    "liaison.objection.raised.v1": ("note",),
    "liaison.objection.ruled.v1": ("note",),
    "liaison.matter.opened.v1": ("requester.id", "requester.name", "summary"),
    "liaison.matter.contacted.v1": ("note",),
    "liaison.matter.amended.v1": ("message",),
    "liaison.matter.fed_back.v1": ("text",),
    "liaison.matter.planned.v1": tuple(f"milestones.{name}" for name in _MILESTONE),
    "liaison.matter.milestone_changed.v1": (
        *(f"milestone.{name}" for name in _MILESTONE),
        "reason",
    ),
    "liaison.matter.task_changed.v1": ("title",),
    "liaison.matter.held.v1": ("reason",),
    "liaison.matter.extended.v1": ("reason",),
    "liaison.matter.shelved.v1": ("reason",),
    "liaison.matter.handled.v1": ("answer",),
    "liaison.matter.visited.v1": ("words",),
    "liaison.matter.closed.v1": ("exemption",),
    "liaison.matter.reopened.v1": ("reason",),
    "liaison.matter.withdrawn.v1": ("reason",),
    "liaison.matter.rejected.v1": ("reason", "channel"),
    "liaison.matter.merged.v1": ("reason",),
    "liaison.matter.unmerged.v1": ("reason",),
    "liaison.matter.joined.v1": ("title",),
    "liaison.dead_letter.recorded.v1": ("reason",),
    "liaison.dead_letter.settled.v1": ("because",),
}
"""By wire type, the paths of its data; a path goes through lists."""


def erase_person(wire_type: str, data: dict[str, Any], mark: str) -> bool:
    """Put `mark` in the place of what may be about a person in an event's data; whether anything changed.

    What is left is valid by the event's contract. The code of an enterprise stays: it is public.
    """
    paths = PERSONAL.get(wire_type, ())
    if data.get("requester", {}).get("kind") == RequesterKind.ENTERPRISE:
        paths = tuple(path for path in paths if path != "requester.id")
    return erase_paths(data, paths, mark)


def erase_paths(document: dict[str, Any], paths: Sequence[str], mark: str) -> bool:
    """The same for these paths of a JSON document; lists are emptied."""
    changed = [_erase(document, path.split("."), mark) for path in paths]
    return any(changed)


def _erase(node: Any, path: Sequence[str], mark: str) -> bool:  # noqa: ANN401 - JSON is of any shape
    if isinstance(node, list):
        return any([_erase(each, path, mark) for each in node])
    name, *further = path
    if not isinstance(node, dict) or node.get(name) in (None, "", [], mark):
        return False
    if further:
        return _erase(node[name], further, mark)
    node[name] = [] if isinstance(node[name], list) else mark
    return True
