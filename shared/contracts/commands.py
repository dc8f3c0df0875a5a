"""The commands of `liaison.commands`: the HTTP steps as messages, by type, and the path that each stands for."""

from collections.abc import Mapping
from typing import Final

OFFER_COMMANDS: Final[Mapping[str, str]] = {
    "liaison.offer.accept.v1": "/routing/offers/{offer_id}/accept",
    "liaison.offer.decline.v1": "/routing/offers/{offer_id}/decline",
    "liaison.objection.rule.v1": "/routing/objections/{objection_id}/ruling",
}
"""Routing's. What stands in braces is taken out of the data; the rest of the data is the body."""

_STEPS: Final = {
    "contact": "first-contact",
    "feed_back": "feedback",
    "plan": "plan",
    "change_milestone": "milestones/{milestone_id}",
    "add_task": "tasks",
    "finish_task": "tasks/{task_id}/done",
    "hold": "hold",
    "resume": "resume",
    "extend": "extend",
    "shelve": "shelve",
    "handle": "handle",
    "visit": "return-visit",
    "close": "close",
    "reopen": "reopen",
    "reject": "reject",
    "merge": "merge",
    "unmerge": "unmerge",
    "join": "join",
}

MATTER_COMMANDS: Final[Mapping[str, str]] = {
    f"liaison.matter.{name}.v1": f"/followup/matters/{{matter_id}}/{step}"
    for name, step in _STEPS.items()
}
"""Followup's. `matter_id` may be left to the CloudEvent's subject."""
