"""Finds who did any of the work on a matter, so that somebody else makes the return visit."""

from typing import Any, Final
from uuid import UUID

from services.followup.domain.access import concerned
from services.followup.store import history, matters
from shared.contracts.events.matters import (
    MatterContacted,
    MatterFedBack,
    MatterHandled,
    MatterMilestoneChanged,
    MatterOffered,
    MatterPlanned,
    MatterTaken,
    MatterTaskChanged,
)
from shared.contracts.vocabulary import MilestoneState
from shared.runtime.database import Connection

OFFERED: Final = MatterOffered.wire_type()
TAKEN: Final = MatterTaken.wire_type()
PLANNED: Final = MatterPlanned.wire_type()
MILESTONE: Final = MatterMilestoneChanged.wire_type()
TASK: Final = MatterTaskChanged.wire_type()
DONE_BY: Final = frozenset(
    kind.wire_type() for kind in (MatterContacted, MatterFedBack, MatterHandled)
)
"""What is work of whoever recorded it. What a coordinator plans, allows, links or ends is none."""

TYPES: Final = (OFFERED, TAKEN, PLANNED, MILESTONE, TASK, *DONE_BY)


async def workers_of(conn: Connection, matter_id: UUID) -> frozenset[str]:
    """Return all parties that worked on a matter in any round, and on the matters merged into it.

    Read off the history, which has what each round did and what was done before a merge.
    """
    merged = await matters.all_merged_into(conn, [matter_id])
    found: set[str] = set()
    for matter in (await matters.load(conn, merged)).values():
        found |= concerned(matter)
    dispatched: dict[str, dict[str, Any]] = {}
    for subject, kind, data in await history.load_of_types(conn, [matter_id, *merged], TYPES):
        if kind == OFFERED:
            dispatched[subject] = data.get("dispatch") or {}
        else:
            found |= _workers(kind, data, dispatched.get(subject, {}))
    return frozenset(found)


def _workers(kind: str, data: dict[str, Any], dispatch: dict[str, Any]) -> set[str]:
    actor = data["actor"]["party"]
    if kind == TAKEN:
        departments = [dispatch.get("lead_department"), *dispatch.get("co_departments", ())]
        return {data["owner"]["id"], *(each for each in departments if each)}
    if kind == PLANNED:
        return {each["owner_department"] for each in data["milestones"]}
    if kind == MILESTONE:
        waived = data["milestone"]["state"] == MilestoneState.WAIVED
        owner = data["milestone"]["owner_department"]
        return {owner} if waived else {owner, actor}
    if kind == TASK:
        return {data["department"], actor} if data["done"] else {data["department"]}
    return {actor}
