"""One step of one person: load, decide, save; refusals are answers, and what nobody may see is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from services.followup.domain import links
from services.followup.domain.access import may_see
from services.followup.domain.decision import Changed, Decision, Refusal, Refused, Unmoved
from services.followup.domain.ladder import climb
from services.followup.domain.matter import DISPATCHING, Matter
from services.followup.domain.moment import Actor, Moment
from services.followup.handlers.office import Office
from services.followup.handlers.saving import Change, Happening, save
from services.followup.store import matters
from shared.kit.db import Connection
from shared.kit.ids import made_at

YOUNG = timedelta(minutes=1)

Decide: TypeAlias = Callable[[Matter, Moment], Decision]


@dataclass(frozen=True, slots=True)
class Call:
    """Who takes the step, when, at which version of the matter (None: at any), and in which trace."""

    by: Actor
    at: datetime
    version: int | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The matter after the step."""

    matter: Matter


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such matter for this caller. `state` is what it stands in where it is only not theirs yet."""

    matter_id: UUID
    dispatching: bool = False


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The matter has moved on from the version that the caller had seen."""

    version: int


Outcome: TypeAlias = Done | Refused | Missing | Overtaken


async def take_step(
    conn: Connection, office: Office, matter_id: UUID, call: Call, decide: Decide
) -> Outcome:
    """Take one step on one matter."""
    loaded = await matters.load_locked(conn, [matter_id])
    matter = loaded.get(str(matter_id))
    if matter is None or not may_see(matter, call.by):
        return missing(matter_id, matter)
    if call.version is not None and call.version != matter.version:
        return Overtaken(matter.version)
    return await _take(conn, office, matter, call, decide)


async def _take(
    conn: Connection, office: Office, matter: Matter, call: Call, decide: Decide
) -> Outcome:
    moment = office.moment(call.at, call.by)
    decision = decide(matter, moment)
    match decision:
        case Refused():
            return decision
        case Unmoved():
            return Done(matter)
        case Changed(after, told):
            settled = climb(after, moment, told)
            happenings = [Happening(each, traceparent=call.traceparent) for each in settled.told]
            await save(conn, [Change(matter, settled.matter, happenings)])
            return Done(settled.matter)


async def merge(
    conn: Connection, office: Office, ids: tuple[UUID, UUID], call: Call, reason: str
) -> Outcome:
    """Merge the first matter into the second; both must be the caller's to see."""
    matter_id, into_id = ids
    loaded = await matters.load_locked(conn, ids)
    into = loaded.get(str(into_id))
    if into is None or not may_see(into, call.by):
        return missing(into_id, into)
    others = await matters.merged_into(conn, matter_id)
    step = links.Merge(into, reason, has_merged=bool(others))

    def decide(matter: Matter, moment: Moment) -> Decision:
        return links.merge(matter, step, moment)

    return await take_step(conn, office, matter_id, call, decide)


async def join(
    conn: Connection, office: Office, ids: Sequence[UUID], call: Call, step: links.Join
) -> Outcome:
    """Link matters to one joint matter, all or none; the first is the one that the caller stands in."""
    loaded = await matters.load_locked(conn, ids)
    for matter_id in ids:
        matter = loaded.get(str(matter_id))
        if matter is None or not may_see(matter, call.by):
            return missing(matter_id, matter)

    def decide(matter: Matter, moment: Moment) -> Decision:
        return links.join(matter, step, moment)

    outcomes: list[Outcome] = []
    for at, matter_id in enumerate(ids):
        at_version = call if at == 0 else replace(call, version=None)
        outcome = await take_step(conn, office, matter_id, at_version, decide)
        if not isinstance(outcome, Done):
            return outcome
        outcomes.append(outcome)
    return outcomes[0]


def missing(matter_id: UUID, matter: Matter | None) -> Missing:
    """Not there for this caller, who is not told whether it is there for others."""
    return Missing(matter_id, matter is not None and matter.state in DISPATCHING)


def may_yet_come(outcome: Outcome, now: datetime) -> bool:
    """Whether the news that the step depends on may still be on its way here.

    It may when the matter stands before its acceptance, or is not known although its id was drawn within a minute.
    """
    match outcome:
        case Missing(matter_id, dispatching):
            return dispatching or is_young(matter_id, now)
        case Refused(code, state):
            return code is Refusal.WRONG_STATE and state in DISPATCHING
        case Done() | Overtaken():
            return False


def is_young(matter_id: UUID, now: datetime) -> bool:
    """Whether an id was drawn within the last minute."""
    drawn_at = made_at(matter_id)
    return drawn_at is not None and now - drawn_at < YOUNG
