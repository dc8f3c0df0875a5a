"""The wall chart's rows: written with their matter, read across all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.followup.domain.matter import Matter, Milestone
from shared.contracts.vocabulary import MilestoneState
from shared.kit.db import Connection

SAVE_MILESTONES = """
insert into milestone (id, matter_id, live, title, owner_department, state, due_at,
                       original_due_at, required, evidence, blocker)
select given.id, given.matter_id, given.live, given.title, given.owner_department, given.state,
       given.due_at, given.original_due_at, given.required, given.evidence, given.blocker
from unnest($1::uuid[], $2::uuid[], $3::bool[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[], $8::timestamptz[], $9::bool[], $10::text[], $11::text[])
     as given (id, matter_id, live, title, owner_department, state, due_at, original_due_at,
               required, evidence, blocker)
on conflict (id) do update
set live = excluded.live, state = excluded.state, due_at = excluded.due_at,
    evidence = excluded.evidence, blocker = excluded.blocker"""


async def chart_milestones(
    conn: Connection, changes: Iterable[tuple[Matter | None, Matter]]
) -> None:
    """Store the milestones that changed, and all of a matter's when it ends or begins again."""
    rows = [
        _row(matter, milestone)
        for before, matter in changes
        for milestone in _touched(before, matter)
    ]
    if rows:
        await conn.execute(
            SAVE_MILESTONES, *([row[at] for row in rows] for at in range(len(rows[0])))
        )


def _touched(before: Matter | None, after: Matter) -> Iterable[Milestone]:
    if before is None or before.final != after.final:
        return after.milestones
    return (each for each in after.milestones if each not in before.milestones)


def _row(matter: Matter, milestone: Milestone) -> tuple[object, ...]:
    return (
        milestone.id,
        matter.id,
        not matter.final,
        milestone.title,
        milestone.owner_department,
        milestone.state.value,
        milestone.due_at,
        milestone.original_due_at,
        milestone.required,
        milestone.evidence,
        milestone.blocker,
    )


@dataclass(frozen=True, slots=True)
class ChartFilter:
    """What of the chart is looked at. `seen_by` is a list that its matter must be in."""

    department: str | None = None
    park: str | None = None
    seen_by: str | None = None


@dataclass(frozen=True, slots=True)
class Charted:
    """A milestone on the wall, and the matter that it is of."""

    matter_id: str
    milestone: Milestone
    summary: str
    requester_name: str
    park: str | None
    owner_id: str | None


CHART = """
select c.id, c.matter_id, c.title, c.owner_department, c.state, c.due_at, c.original_due_at,
       c.required, c.evidence, c.blocker, m.park, m.owner_id, r.summary, r.requester_name
from milestone c
join matter m on m.id = c.matter_id
join request r on r.matter_id = c.matter_id
where c.live and c.state in ('planned', 'in_progress') and (c.due_at, c.id) > ($1, $2)
  and ($4::text is null or m.park = $4)
  and ($5::text is null or exists (
      select from listing l where l.name = $5 and l.open and l.matter_id = c.matter_id))
order by c.due_at, c.id limit $3"""

CHART_OF_DEPARTMENT = """
select c.id, c.matter_id, c.title, c.owner_department, c.state, c.due_at, c.original_due_at,
       c.required, c.evidence, c.blocker, m.park, m.owner_id, r.summary, r.requester_name
from milestone c
join matter m on m.id = c.matter_id
join request r on r.matter_id = c.matter_id
where c.owner_department = $6 and c.live and c.state in ('planned', 'in_progress')
  and (c.due_at, c.id) > ($1, $2)
  and ($4::text is null or m.park = $4)
  and ($5::text is null or exists (
      select from listing l where l.name = $5 and l.open and l.matter_id = c.matter_id))
order by c.due_at, c.id limit $3"""


async def load_chart(
    conn: Connection, wanted: ChartFilter, after: tuple[datetime, UUID], limit: int
) -> list[Charted]:
    """Milestones that are not settled, of open matters, the earliest due first, following `after`."""
    arguments = (*after, limit, wanted.park, wanted.seen_by)
    if wanted.department is None:
        rows = await conn.fetch(CHART, *arguments)
    else:
        rows = await conn.fetch(CHART_OF_DEPARTMENT, *arguments, wanted.department)
    return [
        Charted(
            str(row["matter_id"]),
            Milestone(
                str(row["id"]),
                row["title"],
                row["owner_department"],
                MilestoneState(row["state"]),
                row["due_at"],
                row["original_due_at"],
                row["required"],
                row["evidence"],
                row["blocker"],
            ),
            row["summary"],
            row["requester_name"],
            row["park"],
            row["owner_id"],
        )
        for row in rows
    ]
