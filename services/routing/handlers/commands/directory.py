"""The directory's commands: each write is idempotent, and a change is published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from services.routing.handlers.publishing import publish
from services.routing.store.directory import entries
from services.routing.store.directory.entries import (
    Absence,
    Department,
    EnterpriseEntry,
    LiaisonEntry,
    Put,
    Tie,
)
from shared.contracts.events.assignments import TieChanged
from shared.contracts.events.event import Actor
from shared.contracts.vocabulary import PartyKind, TieRole
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class IdTaken:
    """Refused: the id is that of a party of another kind."""

    party_id: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Refused: `what` names something that is not in the directory."""

    what: str
    id: str


@dataclass(frozen=True, slots=True)
class PrimaryOverlap:
    """Refused: another tie is the enterprise's primary on some of these days."""

    tie_id: str


@dataclass(frozen=True, slots=True)
class BadDates:
    """Refused: the end does not come after the beginning."""

    what: str


@dataclass(frozen=True, slots=True)
class OwnDeputy:
    """Refused: a liaison would stand in for themselves."""


PartyWrite: TypeAlias = Put | IdTaken | Missing
TieWrite: TypeAlias = Put | Missing | PrimaryOverlap | BadDates
AbsenceWrite: TypeAlias = Put | Missing | BadDates | OwnDeputy


async def put_department(
    conn: Connection, department: Department, actor: Actor, now: datetime
) -> PartyWrite:
    """Enter or change a department; its desk has a queue from then on."""
    if not await entries.put_party(conn, department.id, PartyKind.DEPARTMENT, department.name):
        return IdTaken(department.id)
    put = await entries.put_department(conn, department)
    await entries.open_queue(conn, department.id)
    await publish(conn, department, actor, now)
    return put


async def put_liaison(
    conn: Connection, liaison: LiaisonEntry, actor: Actor, now: datetime
) -> PartyWrite:
    """Enter or change a liaison; they have a queue from then on."""
    if not await entries.put_party(conn, liaison.id, PartyKind.LIAISON, liaison.name):
        return IdTaken(liaison.id)
    try:
        async with conn.transaction():
            put = await entries.put_liaison(conn, liaison)
    except asyncpg.ForeignKeyViolationError:
        return Missing("department_id", liaison.department_id)
    await entries.open_queue(conn, liaison.id)
    await publish(conn, liaison, actor, now)
    return put


async def put_enterprise(
    conn: Connection, enterprise: EnterpriseEntry, actor: Actor, now: datetime
) -> Put:
    """Enter or change an enterprise."""
    put = await entries.put_enterprise(conn, enterprise)
    await publish(conn, enterprise, actor, now)
    return put


async def put_tie(conn: Connection, tie: Tie, actor: Actor, now: datetime) -> TieWrite:
    """Enter or change a tie and publish it. Open offers stay with their party."""
    if tie.until_on is not None and tie.until_on < tie.from_on:
        return BadDates("until")
    if not await entries.lock_enterprise(conn, tie.uscc):
        return Missing("uscc", tie.uscc)
    if tie.role is TieRole.PRIMARY:
        other = await entries.find_overlapping_primary(conn, tie)
        if other is not None:
            return PrimaryOverlap(other)
    try:
        async with conn.transaction():
            version = await entries.put_tie(conn, tie)
    except asyncpg.ForeignKeyViolationError:
        return Missing("liaison_id", tie.liaison_id)
    if version is None:
        return Put.UNCHANGED
    event = TieChanged(
        actor=actor,
        tie_id=tie.id,
        uscc=tie.uscc,
        liaison_id=tie.liaison_id,
        role=tie.role,
        from_on=tie.from_on,
        until_on=tie.until_on,
        reason=tie.reason,
    )
    await record(conn, [Outgoing(tie.id, version, event, now)])
    return Put.CREATED if version == 1 else Put.CHANGED


async def put_absence(
    conn: Connection, absence: Absence, actor: Actor, now: datetime
) -> AbsenceWrite:
    """Enter or change an absence. If it covers now, `due.begin_absences` passes on the offers right afterwards.

    The caller ends its transaction with `hold_offers` to this liaison.
    """
    if absence.until_at is not None and absence.until_at <= absence.from_at:
        return BadDates("until")
    if absence.deputy_id == absence.liaison_id:
        return OwnDeputy()
    try:
        async with conn.transaction():
            put = await entries.put_absence(conn, absence)
    except asyncpg.ForeignKeyViolationError as fault:
        if fault.constraint_name == "absence_deputy":
            return Missing("deputy_id", absence.deputy_id or "")
        return Missing("liaison_id", absence.liaison_id)
    await publish(conn, absence, actor, now)
    return put


async def hold_offers(conn: Connection, liaison_ids: Collection[str]) -> None:
    """Wait for offers to these liaisons that are being made; later ones see what the caller entered."""
    await entries.lock_queues(conn, liaison_ids)
