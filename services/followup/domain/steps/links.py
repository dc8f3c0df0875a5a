"""Links between matters: merging within one firm, unmerging, joining across firms."""

from dataclasses import dataclass, replace
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.access import Step, guard
from services.followup.domain.decision import (
    Changed,
    Decision,
    Refusal,
    Refused,
    Unmoved,
    emit,
    refuse,
)
from services.followup.domain.facts import Joined, Merged, Unmerged
from services.followup.domain.matter import DISPATCHING, Joint, Matter, Merging, with_offer_ended
from services.followup.domain.moment import Moment
from shared.contracts.vocabulary import ClockKind, MatterState, OfferState

MOST_MERGED: Final = 200
"""How many matters can be followed in one."""

UNANSWERED: Final = frozenset({MatterState.WITHDRAWN, MatterState.REJECTED})
"""Ends that give nobody an answer: whoever was merged into such a matter still waits for one."""


@dataclass(frozen=True, slots=True)
class Merge:
    """The merge of this matter into another.

    `has_merged`: others were merged into this one. `merged_there`: how many were merged into the other already.
    """

    into: Matter
    reason: str
    has_merged: bool = False
    merged_there: int = 0


@dataclass(frozen=True, slots=True)
class Unmerge:
    """The reason to undo a merge."""

    reason: str


@dataclass(frozen=True, slots=True)
class Join:
    """The joint matter to link to."""

    joint_id: str
    title: str


def merge(matter: Matter, step: Merge, moment: Moment) -> Decision:
    """Merge into a matter of the same firm and problem 并单; the state before is kept, so that it can be undone."""
    if refused := guard(matter, Step.MERGE, moment.by):
        return refused
    if refused := _cannot_merge(matter, step):
        return refused
    asked = with_offer_ended(matter, OfferState.RESCINDED)
    merged = replace(
        asked,
        state=MatterState.MERGED,
        clocks=(),
        pending=None,
        merging=Merging(step.into.id, matter.state, asked.clocks),
    )
    return emit(merged, Merged(step.into.id, step.reason), moment)


def _cannot_merge(matter: Matter, step: Merge) -> Refused | None:
    if step.into.id == matter.id:
        return refuse(matter, Refusal.MERGED_WITH_ITSELF)
    if step.into.requester_id != matter.requester_id:
        return refuse(matter, Refusal.OTHER_REQUESTER)
    if step.into.final:
        return refuse(matter, Refusal.TARGET_NOT_OPEN, target_state=step.into.state)
    if step.into.state is MatterState.HANDLED:
        return refuse(matter, Refusal.TARGET_HANDLED)
    if step.merged_there >= MOST_MERGED:
        return refuse(matter, Refusal.TARGET_FULL, most=MOST_MERGED)
    return refuse(matter, Refusal.HAS_MERGED) if step.has_merged else None


def unmerge(matter: Matter, step: Unmerge, moment: Moment) -> Decision:
    """Undo a merge: the matter gets back its state and its limits; a merge is not a pause."""
    if refused := guard(matter, Step.UNMERGE, moment.by):
        return refused
    if matter.merging is None:
        return refuse(matter, Refusal.WRONG_STATE)
    return _on_its_own(matter, matter.merging, step.reason, moment)


def released(merged: Matter, ended: Matter, reason: str, moment: Moment) -> Changed | None:
    """Undo the merge of a matter because the target has `ended` without an answer.

    None when the other goes on, was answered, or is not the one that this was merged into.
    """
    merging = merged.merging
    if merging is None or merging.into != ended.id or ended.state not in UNANSWERED:
        return None
    return _on_its_own(merged, merging, reason, moment)


def _on_its_own(matter: Matter, merging: Merging, reason: str, moment: Moment) -> Changed:
    unheard = merging.state in DISPATCHING
    kept = clocks.without(merging.clocks, ClockKind.REVIEW) if unheard else merging.clocks
    back = replace(
        matter,
        state=MatterState.AWAITING_DISPATCH if unheard else merging.state,
        clocks=kept,
        merging=None,
    )
    return emit(back, Unmerged(merging.into, reason), moment)


def join(matter: Matter, step: Join, moment: Moment) -> Decision:
    """Link to matters of different firms with one problem 共性事项; each keeps its liaison, answer and return visit."""
    if refused := guard(matter, Step.JOIN, moment.by):
        return refused
    if matter.joint is not None:
        if matter.joint.joint_id == step.joint_id:
            return Unmoved("it is joined already")
        return refuse(matter, Refusal.JOINED_ALREADY, joint_id=matter.joint.joint_id)
    joint = Joint(step.joint_id, step.title)
    return emit(replace(matter, joint=joint), Joined(step.joint_id, step.title), moment)
