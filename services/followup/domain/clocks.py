"""Clocks of a matter: starting, pausing, extending, and the escalation of a broken limit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from services.followup.domain.limits import REMINDER_LEADS, RUNG
from shared.calendar import Limit, WorkingCalendar
from shared.contracts.vocabulary import ClockKind


class Stage(StrEnum):
    """Escalation stage of a clock: on track, reminded 催办, supervised 督办, then up the ladder 提级."""

    ON_TRACK = "on_track"
    REMINDED = "reminded"
    SUPERVISED = "supervised"
    LIAISON = "liaison"
    DEPARTMENT_HEAD = "department_head"
    LEADER_IN_CHARGE = "leader_in_charge"
    JOINT_MEETING = "joint_meeting"


NEXT_STAGE: Final[Mapping[Stage, Stage]] = MappingProxyType(
    {
        Stage.SUPERVISED: Stage.LIAISON,
        Stage.LIAISON: Stage.DEPARTMENT_HEAD,
        Stage.DEPARTMENT_HEAD: Stage.LEADER_IN_CHARGE,
        Stage.LEADER_IN_CHARGE: Stage.JOINT_MEETING,
    }
)
"""Above a broken limit; the joint meeting is the last rung."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One running limit. `original_due_at` is never overwritten; `act_at` is when the sweep looks at it next.

    `calendar_version` is the calendar's that computed `due_at`. `extensions` counts those of the round. `since`,
    `limit` (as in "3wd") and `pauses` are what `due_at` was computed from; `limit` is None where a person or another
    service set the date.
    `breached_at` is when the promise was first said to be broken; a later limit does not take it away.
    """

    kind: ClockKind
    due_at: datetime
    original_due_at: datetime
    remind_at: datetime | None
    act_at: datetime | None
    stage: Stage
    calendar_version: str
    paused_at: datetime | None = None
    extensions: int = 0
    since: datetime | None = None
    limit: str | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    breached_at: datetime | None = None

    @property
    def broken(self) -> bool:
        """Whether the present limit was broken and the breach recorded."""
        return self.stage not in (Stage.ON_TRACK, Stage.REMINDED)

    @property
    def missed(self) -> bool:
        """Whether the promise was ever broken, whatever its limit is now."""
        return self.broken or self.breached_at is not None


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was broken, with its round and when the breach was recorded."""

    clock: ClockKind
    round: int
    due_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension of a limit: old and new time, round, and approver. The reason is in its event."""

    clock: ClockKind
    round: int
    old_due_at: datetime
    new_due_at: datetime
    approver: str
    at: datetime


Clocks: TypeAlias = tuple[Clock, ...]


def start(
    kind: ClockKind, due_at: datetime, since: datetime, calendar: WorkingCalendar, version: str = ""
) -> Clock:
    """Return a clock due at `due_at`, with a reminder before it unless that would be before `since`."""
    lead = REMINDER_LEADS.get(kind)
    reminder = calendar.before(due_at, lead) if lead is not None else None
    remind_at = reminder if reminder is not None and reminder > since else None
    return Clock(
        kind,
        due_at,
        due_at,
        remind_at,
        remind_at or due_at,
        Stage.ON_TRACK,
        version or calendar.version,
    )


def begin(kind: ClockKind, limit: Limit, since: datetime, calendar: WorkingCalendar) -> Clock:
    """Return a clock that ends `limit` after `since` and records both."""
    clock = start(kind, calendar.add(since, limit), since, calendar)
    return replace(clock, since=since, limit=str(limit))


def without(clocks: Clocks, *kinds: ClockKind) -> Clocks:
    """Return the clocks except those of these kinds."""
    return tuple(clock for clock in clocks if clock.kind not in kinds)


def with_clock(clocks: Clocks, clock: Clock) -> Clocks:
    """Return the clocks with `clock` replacing the one of its kind."""
    return (*without(clocks, clock.kind), clock)


def find(clocks: Iterable[Clock], kind: ClockKind) -> Clock | None:
    """Return the running clock of a kind; None without one."""
    return next((clock for clock in clocks if clock.kind is kind), None)


def pause(clocks: Clocks, at: datetime) -> Clocks:
    """Return all clocks paused at `at`."""
    return tuple(
        clock if clock.paused_at else replace(clock, paused_at=at, act_at=None) for clock in clocks
    )


def unpause(clocks: Clocks, at: datetime, calendar: WorkingCalendar) -> Clocks:
    """Return all clocks resumed, each limit extended by the paused working time; a breach stays recorded."""
    return tuple(_unpaused(clock, at, calendar) if clock.paused_at else clock for clock in clocks)


def _unpaused(clock: Clock, at: datetime, calendar: WorkingCalendar) -> Clock:
    paused_at = clock.paused_at or at
    if clock.broken:
        act_at = calendar.add(at, RUNG) if clock.stage in NEXT_STAGE else None
        return replace(clock, paused_at=None, act_at=act_at)
    fresh = start(clock.kind, calendar.resume(clock.due_at, paused_at, at), at, calendar)
    return replace(
        fresh,
        original_due_at=clock.original_due_at,
        stage=clock.stage,
        act_at=fresh.act_at if clock.stage is Stage.ON_TRACK else fresh.due_at,
        extensions=clock.extensions,
        since=clock.since,
        limit=clock.limit,
        pauses=(*clock.pauses, (paused_at, at)),
        breached_at=clock.breached_at,
    )


def extend(clock: Clock, due_at: datetime, at: datetime, calendar: WorkingCalendar) -> Clock:
    """Return the clock with a later limit, on track again; the original limit and a breach stay recorded."""
    fresh = start(clock.kind, due_at, at, calendar)
    return replace(
        fresh,
        original_due_at=clock.original_due_at,
        extensions=clock.extensions + 1,
        breached_at=clock.breached_at or (at if clock.broken else None),
    )


def replan(clock: Clock, fresh: Clock) -> Clock:
    """Return `fresh` in place of `clock`: a new limit, with the old clock's breach and first limit."""
    if clock.broken and fresh.due_at <= clock.due_at:
        return clock
    breached_at = clock.breached_at or (clock.due_at if clock.broken else None)
    return replace(
        fresh,
        original_due_at=clock.original_due_at,
        extensions=clock.extensions,
        breached_at=breached_at,
    )


def advance(clock: Clock, at: datetime, calendar: WorkingCalendar) -> Clock | None:
    """Return the clock one stage on if it is due by `at`, else None. A broken limit escalates a level each working day.

    The limit of an offer rises no higher than 督办: routing ends the offer and makes the next one.
    """
    if clock.act_at is None or clock.act_at > at:
        return None
    if clock.stage in (Stage.ON_TRACK, Stage.REMINDED):
        if at < clock.due_at:
            return replace(clock, stage=Stage.REMINDED, act_at=clock.due_at)
        rises = clock.kind is not ClockKind.ACCEPT
        return replace(
            clock,
            stage=Stage.SUPERVISED,
            act_at=calendar.add(at, RUNG) if rises else None,
            breached_at=clock.breached_at or at,
        )
    stage = NEXT_STAGE[clock.stage]
    return replace(
        clock, stage=stage, act_at=calendar.add(at, RUNG) if stage in NEXT_STAGE else None
    )


def next_due(clocks: Iterable[Clock]) -> datetime | None:
    """Return the earliest limit not yet met; in the past exactly when it is broken. Paused clocks do not count."""
    return min((clock.due_at for clock in clocks if clock.paused_at is None), default=None)


def next_kind(clocks: Iterable[Clock]) -> ClockKind | None:
    """Which promise is the earliest not yet kept."""
    running = [clock for clock in clocks if clock.paused_at is None]
    return min(running, key=lambda clock: clock.due_at).kind if running else None


def next_act(clocks: Iterable[Clock]) -> datetime | None:
    """Return when the next clock needs action."""
    return min((clock.act_at for clock in clocks if clock.act_at is not None), default=None)
