"""Maps each step of a story to its precondition, its API call and its event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from deploy.sample_town.town import COORDINATORS

Step: TypeAlias = Mapping[str, Any]
View: TypeAlias = Mapping[str, Any]
"""A matter as `GET /followup/matters/{id}` shows it."""

FALLBACK_DESK: Final = "DESK"

LEAVES: Final[Mapping[str, str]] = {
    "accept": "matter.taken",
    "decline": "matter.returned",
    "ruling": "matter.offered",
    "first_contact": "matter.contacted",
    "feedback": "matter.fed_back",
    "plan": "matter.planned",
    "milestone": "matter.milestone_changed",
    "hold": "matter.held",
    "resume": "matter.resumed",
    "handle": "matter.handled",
    "return_visit": "matter.visited",
    "answer": "matter.visited",
    "close": "matter.closed",
    "reopen": "matter.reopened",
    "withdraw": "matter.withdrawn",
}
"""What each step leaves in a matter's history; of a ruling it is the offer that follows."""

_WORKING: Final = ("in_progress",)
READY: Final[Mapping[str, tuple[str, ...]]] = {
    "accept": ("offered",),
    "decline": ("offered",),
    "ruling": ("awaiting_dispatch",),
    "resume": ("on_hold",),
    "return_visit": ("handled",),
    "answer": ("handled",),
    "close": ("handled",),
    "reopen": ("handled", "closed"),
    "withdraw": ("offered", "in_progress", "on_hold"),
}
"""The states in which a step is taken; where none are named, `in_progress`."""

FINAL: Final = frozenset({"closed", "withdrawn", "rejected", "merged"})
OF_A_COORDINATOR: Final = frozenset({"close", "reopen", "ruling"})
NOT_SENT: Final = frozenset({"do", "by", "number"})
"""What of a step is for the player alone."""


@dataclass(frozen=True, slots=True)
class Call:
    """A POST to `path` by `party`; None is the requester, who is identified by the receipt in the path."""

    path: str
    party: str | None
    body: Mapping[str, Any]
    version: int | None = None


def steps_taken(steps: Sequence[Step], types: Sequence[str]) -> int:
    """Return how many of `steps`, from the first on, a history of these event types has."""
    at = 0
    for number, step in enumerate(steps):
        left = LEAVES[step["do"]]
        if left not in types[at:]:
            return number
        at = types.index(left, at) + 1
    return len(steps)


def allows(view: View, step: Step) -> bool:
    """Return whether the matter's state allows the step."""
    if step["do"] in ("accept", "decline") and not view.get("offer"):
        return False
    return view["state"] in READY.get(step["do"], _WORKING)


def without_visitor(step: Step) -> Step | None:
    """Return the step without a second person: a return visit becomes the requester's own answer, or None."""
    if step["do"] != "return_visit":
        return step
    if not step["reached"]:
        return None
    kept = {name: step[name] for name in ("solved", "satisfaction", "words") if name in step}
    return {"do": "answer", **kept}


def call_of(step: Step, view: View, receipt: str) -> Call:
    """Return the call of `step` on the matter in `view`. For a ruling see `ruling_of`."""
    body = {name: value for name, value in step.items() if name not in NOT_SENT}
    do, matter = step["do"], f"/followup/matters/{view['matter_id']}"
    match do:
        case "accept" | "decline":
            offer = view["offer"]
            path = f"/routing/offers/{offer['offer_id']}/{do}"
            return Call(path, _in_person(party_of(offer["party"])), body)
        case "answer" | "withdraw":
            return Call(f"/intake/receipts/{receipt}/{do}", None, body)
        case "milestone":
            path = f"{matter}/milestones/{view['milestones'][step['number'] - 1]['id']}"
        case _:
            path = f"{matter}/{do.replace('_', '-')}"
    return Call(path, actor_of(step, view), body, view["version"])


def ruling_of(step: Step, objection_id: str) -> Call:
    """Return the call of a coordinator's ruling on an objection."""
    body = {name: value for name, value in step.items() if name not in NOT_SENT}
    return Call(f"/routing/objections/{objection_id}/ruling", COORDINATORS[0], body)


def actor_of(step: Step, view: View) -> str:
    """Return the actor of a step: the one it names, a coordinator where only one may, else the owner."""
    if "by" in step:
        return _independent(str(step["by"]), view)
    if step["do"] in OF_A_COORDINATOR or step.get("state") == "waived":
        return COORDINATORS[0]
    return _in_person(party_of(view["owner"]))


def _independent(visitor: str, view: View) -> str:
    """`visitor`, unless a person who tries the town out has handled the matter in that name."""
    handling = view.get("handling") or {"handler": {"party": None}}
    handler = handling["handler"]["party"]
    others = [party for party in COORDINATORS if party != handler]
    return others[0] if visitor == handler else visitor


def _in_person(party: str) -> str:
    """Return the party; for the fallback desk the second coordinator, since the first makes its return visits."""
    return COORDINATORS[1] if party == FALLBACK_DESK else party


def party_of(named: object) -> str:
    """Return the id of a party, given as an id or with kind and name."""
    return str(named["id"]) if isinstance(named, Mapping) else str(named)
