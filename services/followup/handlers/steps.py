"""Handles one step of one person: load, decide, save. A refusal is a result, not an exception."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.followup.domain.access import may_see
from services.followup.domain.decision import Changed, Decision, Refusal, Refused, Unmoved
from services.followup.domain.ladder import climb, overtaken
from services.followup.domain.matter import DISPATCHING, Matter
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.steps import chart, links, resolution
from services.followup.handlers.independence import workers_of
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters, parties
from shared.messages.catalogue import text
from shared.runtime.clock import Clock
from shared.runtime.database import Connection
from shared.runtime.ids import made_at

YOUNG = timedelta(minutes=1)

Decide: TypeAlias = Callable[[Matter, Moment], Decision]
Independent: TypeAlias = resolution.ReturnVisit | resolution.Close | resolution.Reject
INDEPENDENT: Final[Mapping[type[Independent], Callable[[Matter, Any, Moment], Decision]]] = (
    MappingProxyType(
        {
            resolution.ReturnVisit: resolution.return_visit,
            resolution.Close: resolution.close,
            resolution.Reject: resolution.reject,
        }
    )
)
"""The rules of the steps that nobody takes about their own work."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a step: the actor, the clock, the expected versions of the matter (None: any), and the trace."""

    by: ActingParty
    clock: Clock
    versions: frozenset[int] | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The matter after the step."""

    matter: Matter


@dataclass(frozen=True, slots=True)
class Missing:
    """The matter does not exist for this caller. `state` is set where it may yet become visible."""

    matter_id: UUID
    state: str | None = None


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """The matter has another version than the caller expected (optimistic locking)."""

    version: int


StepOutcome: TypeAlias = Done | Refused | Missing | VersionConflict


async def perform_step(
    conn: Connection, office: Office, matter_id: UUID, call: Call, decide: Decide
) -> StepOutcome:
    """Take one step on one matter."""
    loaded = await matters.load_locked(conn, [matter_id])
    matter = loaded.get(str(matter_id))
    if matter is None or not may_see(matter, call.by):
        return missing(matter_id, matter)
    if call.versions is not None and matter.version not in call.versions:
        return VersionConflict(matter.version)
    return await _perform(conn, office, matter, call, decide)


async def _perform(
    conn: Connection, office: Office, matter: Matter, call: Call, decide: Decide
) -> StepOutcome:
    # Read now that the row is locked: the wait may have been for a step that is later than the call.
    moment = office.moment(call.clock(), matter, call.by)
    before = overtaken(matter, moment)
    decision = decide(before.matter, moment)
    match decision:
        case Refused():
            return decision
        case Unmoved():
            return Done(matter)
        case Changed(after, emitted):
            settled = climb(after, moment, before.emitted + emitted, on_days_off=False)
            await save(conn, [_change(matter, settled, call)])
            return Done(settled.matter)


def _change(before: Matter, settled: Changed, call: Call) -> Change:
    happenings = [Happening(each, traceparent=call.traceparent) for each in settled.emitted]
    return Change(before, settled.matter, happenings)


async def plan(
    conn: Connection, office: Office, matter_id: UUID, call: Call, step: chart.Plan
) -> StepOutcome:
    """Plan milestones of departments of the directory."""
    known = await parties.load_kinds(conn, [party for _, party in step.named])
    checked = replace(step, known=known)
    return await perform_step(
        conn, office, matter_id, call, lambda matter, moment: chart.plan(matter, checked, moment)
    )


async def add_task(
    conn: Connection, office: Office, matter_id: UUID, call: Call, step: chart.AddTask
) -> StepOutcome:
    """Give a department of the directory a task."""
    known = await parties.load_kinds(conn, [party for _, party in step.named])
    checked = replace(step, known=known)
    return await perform_step(
        conn,
        office,
        matter_id,
        call,
        lambda matter, moment: chart.add_task(matter, checked, moment),
    )


async def merge(
    conn: Connection, office: Office, ids: tuple[UUID, UUID], call: Call, reason: str
) -> StepOutcome:
    """Merge the first matter into the second; the caller must be able to see both."""
    matter_id, into_id = ids
    loaded = await matters.load_locked(conn, ids)
    into = loaded.get(str(into_id))
    if into is None or not may_see(into, call.by):
        return missing(into_id, into)
    others = await matters.merged_into(conn, matter_id)
    there = await matters.merged_into(conn, into_id)
    step = links.Merge(into, reason, bool(others), len(there))

    def decide(matter: Matter, moment: Moment) -> Decision:
        return links.merge(matter, step, moment)

    return await perform_step(conn, office, matter_id, call, decide)


async def reject(
    conn: Connection, office: Office, matter_id: UUID, call: Call, step: resolution.Reject
) -> StepOutcome:
    """Reject a matter, and unmerge those that were merged into it."""
    loaded = await matters.load_with_merged(conn, [matter_id], [matter_id])
    outcome = await independent_step(conn, office, matter_id, call, step)
    if isinstance(outcome, Done):
        now, reason = call.clock(), text("unmerged.rejected", "zh")
        changes = []
        for merged in loaded.values():
            moment = office.moment(now, merged, call.by)
            freed = links.released(merged, outcome.matter, reason, moment)
            if freed is not None:
                settled = climb(freed.matter, moment, freed.emitted, on_days_off=False)
                changes.append(_change(merged, settled, call))
        await save(conn, changes)
    return outcome


async def independent_step(
    conn: Connection, office: Office, matter_id: UUID, call: Call, step: Independent
) -> StepOutcome:
    """Take a step (return visit, close, reject) that needs the ids of all who did any of the work.

    They are those of every round and of the matters that were merged into it.
    """
    rule = INDEPENDENT[type(step)]
    checked = replace(step, workers=await workers_of(conn, matter_id))

    def decide(matter: Matter, moment: Moment) -> Decision:
        return rule(matter, checked, moment)

    return await perform_step(conn, office, matter_id, call, decide)


async def join(
    conn: Connection, office: Office, ids: Sequence[UUID], call: Call, step: links.Join
) -> StepOutcome:
    """Link matters to one joint matter, all or none; the caller's relation to the first counts."""
    loaded = await matters.load_locked(conn, ids)
    for matter_id in ids:
        matter = loaded.get(str(matter_id))
        if matter is None or not may_see(matter, call.by):
            return missing(matter_id, matter)

    def decide(matter: Matter, moment: Moment) -> Decision:
        return links.join(matter, step, moment)

    outcomes: list[StepOutcome] = []
    for at, matter_id in enumerate(ids):
        at_version = call if at == 0 else replace(call, versions=None)
        outcome = await perform_step(conn, office, matter_id, at_version, decide)
        if not isinstance(outcome, Done):
            return outcome
        outcomes.append(outcome)
    return outcomes[0]


def missing(matter_id: UUID, matter: Matter | None) -> Missing:
    """Return that the matter does not exist for this caller, whether or not it exists for others."""
    waiting = matter is not None and matter.state in DISPATCHING
    return Missing(matter_id, matter.state if matter is not None and waiting else None)


def may_yet_come(outcome: StepOutcome, now: datetime) -> bool:
    """Return whether an event that the step depends on may still be on its way.

    It may when the matter stands before its acceptance, or is not known although its id was drawn within a minute, or
    when parties are named that the directory does not have yet.
    """
    match outcome:
        case Missing(matter_id, state):
            return state is not None or is_young(matter_id, now)
        case Refused(misnamed=wrong) if wrong:
            return all(each.kind is None for each in wrong)
        case Refused(code, state):
            return code is Refusal.WRONG_STATE and state in DISPATCHING
        case Done() | VersionConflict():
            return False


def is_young(matter_id: UUID, now: datetime) -> bool:
    """Return whether an id was drawn within the last minute, allowing a minute of clock difference."""
    drawn_at = made_at(matter_id)
    return drawn_at is not None and abs(now - drawn_at) < YOUNG
