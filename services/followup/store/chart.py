"""Rows of the wall chart: written with their matter, read across all matters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.followup.domain.matter import ChartMilestone, Matter
from services.followup.store.finding import MOST_LOOKED_AT
from services.followup.store.listing import holds_few
from services.followup.store.promised import FEW, Place
from shared.contracts.vocabulary import MilestoneState
from shared.runtime.database import Connection

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
    """Store changed milestones, and all milestones of a matter that ends or is reopened."""
    rows = [
        _row(matter, milestone)
        for before, matter in changes
        for milestone in _touched(before, matter)
    ]
    if rows:
        await conn.execute(
            SAVE_MILESTONES, *([row[at] for row in rows] for at in range(len(rows[0])))
        )


def _touched(before: Matter | None, after: Matter) -> Iterable[ChartMilestone]:
    if before is None or before.final != after.final:
        return after.milestones
    return (each for each in after.milestones if each not in before.milestones)


def _row(matter: Matter, milestone: ChartMilestone) -> tuple[object, ...]:
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
    """Filter of the chart: one department's milestones, of matters that are in all of these lists."""

    department: str | None = None
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Charted:
    """A milestone on the chart, with its matter."""

    matter_id: str
    milestone: ChartMilestone
    summary: str
    requester_name: str
    park: str | None
    owner_id: str | None


@dataclass(slots=True)
class Chart:
    """A page of the chart, and the position after it; None at the end."""

    milestones: list[Charted]
    further: Place | None


def merged(charts: Sequence[Chart], limit: int) -> Chart:
    """Merge pages of several lists into one, earliest due first, up to where the first of them stopped."""
    edge = min((chart.further for chart in charts if chart.further is not None), default=None)
    places = {_place(each): each for chart in charts for each in chart.milestones}
    found = sorted(place for place in places if edge is None or place <= edge)
    further = found[limit - 1] if len(found) >= limit else edge
    return Chart([places[place] for place in found[:limit]], further)


def _place(charted: Charted) -> Place:
    return charted.milestone.due_at, UUID(charted.milestone.id)


CHART = """
select c.id, c.matter_id, c.title, c.owner_department, c.state, c.due_at, c.original_due_at,
       c.required, c.evidence, c.blocker, m.park, m.owner_id, r.summary, r.requester_name
from (
    select * from milestone
    where live and state in ('planned', 'in_progress') and (due_at, id) > ($1, $2)
    order by due_at, id limit $4
) as c
join matter m on m.id = c.matter_id
join request r on r.matter_id = c.matter_id
where (cardinality($5::text[]) = 0 or cardinality($5::text[]) = (
      select count(*) from listing o
      where o.name = any($5) and o.open and o.matter_id = c.matter_id))
order by c.due_at, c.id limit $3"""

EDGE = """
select due_at, id from milestone
where live and state in ('planned', 'in_progress') and (due_at, id) > ($1, $2)
order by due_at, id offset $3 - 1 limit 1"""

CHART_OF_DEPARTMENT = """
select c.id, c.matter_id, c.title, c.owner_department, c.state, c.due_at, c.original_due_at,
       c.required, c.evidence, c.blocker, m.park, m.owner_id, r.summary, r.requester_name
from (
    select * from milestone
    where owner_department = $6 and live and state in ('planned', 'in_progress') and (due_at, id) > ($1, $2)
    order by due_at, id limit $4
) as c
join matter m on m.id = c.matter_id
join request r on r.matter_id = c.matter_id
where (cardinality($5::text[]) = 0 or cardinality($5::text[]) = (
      select count(*) from listing o
      where o.name = any($5) and o.open and o.matter_id = c.matter_id))
order by c.due_at, c.id limit $3"""

EDGE_OF_DEPARTMENT = """
select due_at, id from milestone
where owner_department = $4 and live and state in ('planned', 'in_progress') and (due_at, id) > ($1, $2)
order by due_at, id offset $3 - 1 limit 1"""

# Which ones is read off two indexes, of which `offset 0` lets the list lead; only those are read whole.
CHART_OF_LIST = """
select c.id, c.matter_id, c.title, c.owner_department, c.state, c.due_at, c.original_due_at,
       c.required, c.evidence, c.blocker, m.park, m.owner_id, r.summary, r.requester_name
from (
    select s.id
    from (select matter_id from listing where name = $6 and open limit $4) as looked
    cross join lateral (
        select id, due_at, owner_department from milestone
        where matter_id = looked.matter_id and live and state in ('planned', 'in_progress') offset 0
    ) as s
    where (s.due_at, s.id) > ($1, $2) and ($7::text is null or s.owner_department = $7)
      and (cardinality($5::text[]) = 0 or cardinality($5::text[]) = (
          select count(*) from listing o
          where o.name = any($5) and o.open and o.matter_id = looked.matter_id))
    order by s.due_at, s.id limit $3
) as first
join milestone c on c.id = first.id
join matter m on m.id = c.matter_id
join request r on r.matter_id = c.matter_id
order by c.due_at, c.id"""


async def load_chart(conn: Connection, wanted: ChartFilter, after: Place, limit: int) -> Chart:
    """Return unfinished milestones of open matters, earliest due first; a page that is not full may continue."""
    if wanted.lists and await holds_few(conn, wanted.lists[0], FEW):
        lead, *rest = wanted.lists
        rows = await conn.fetch(
            CHART_OF_LIST, *after, limit, 2 * FEW, rest, lead, wanted.department
        )
        return _chart(rows, limit)
    of_department = () if wanted.department is None else (wanted.department,)
    statement = CHART_OF_DEPARTMENT if of_department else CHART
    rows = await conn.fetch(
        statement, *after, limit, MOST_LOOKED_AT, list(wanted.lists), *of_department
    )
    chart = _chart(rows, limit)
    if chart.further is None:
        last = EDGE_OF_DEPARTMENT if of_department else EDGE
        edge = await conn.fetchrow(last, *after, MOST_LOOKED_AT, *of_department)
        chart.further = (edge["due_at"], edge["id"]) if edge else None
    return chart


def _chart(rows: Sequence[asyncpg.Record], limit: int) -> Chart:
    further = (rows[-1]["due_at"], rows[-1]["id"]) if len(rows) == limit else None
    return Chart([_charted(row) for row in rows], further)


def _charted(row: asyncpg.Record) -> Charted:
    return Charted(
        str(row["matter_id"]),
        ChartMilestone(
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
