"""`/desk/chart` 挂图作战: milestones by department and time, with lights, slippage and blockers; prints on A3."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from services.desk.domain.wall import MilestoneDates, Place, Wall, wall_of
from services.desk.pages import layout, visitors
from services.desk.pages.routing import StaffRoute
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.wording import MomentInWords, Words, moment_in_words, words_in

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

MOST: Final = 200

At: TypeAlias = Callable[[datetime], MomentInWords]
"""Writes a moment for one reader."""


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One milestone: its words, and where it stands in the picture."""

    matter_id: str
    title: str
    summary: str
    requester: str
    state_label: str
    light: str | None
    due: MomentInWords
    original: MomentInWords | None
    slipped: str | None
    blocker: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """A department's milestones, the earliest due first."""

    name: str
    rows: Sequence[ChartRow]
    red: int


@router.get("/desk/chart")
async def chart(
    request: Request,
    park: Annotated[str | None, Query(max_length=200)] = None,
    department: Annotated[str | None, Query(max_length=100)] = None,
    screen: Annotated[bool, Query()] = False,
) -> Response:
    """The chart; with `screen` for a wall, without navigation and made anew by itself."""
    person = await layout.member(request)
    page = await layout.services_of(request).get(
        await visitors.visitor(request),
        "/followup/wall-chart",
        limit=MOST,
        park=park or None,
        department=department or None,
    )
    here, words = surroundings_of(request), words_in(visitors.language(request))
    now, items = here.clock(), page["items"]
    wall = wall_of([_span(item) for item in items], now, here.zone)

    def at(moment: datetime) -> MomentInWords:
        return moment_in_words(moment, now, here.zone, words)

    return layout.page(
        request,
        "desk/chart.html",
        here="chart",
        person=person,
        groups=_groups(items, wall, at, words),
        wall=wall,
        marks=[(place, f"{moment.month}/{moment.day}") for place, moment in wall.marks],
        now=at(now),
        is_whole=page["next"] is None,
        screen=screen,
        park=park or "",
        department=department or "",
    )


def _span(item: Mapping[str, Any]) -> MilestoneDates:
    return MilestoneDates(
        datetime.fromisoformat(item["original_due_at"]), datetime.fromisoformat(item["due_at"])
    )


def _groups(
    items: Sequence[Mapping[str, Any]],
    wall: Wall,
    at: At,
    words: Words,
) -> list[ChartGroup]:
    by_name: dict[str, list[ChartRow]] = {}
    for item in items:
        owner = item["owner_department"]
        by_name.setdefault(item["names"].get(owner, owner), []).append(_row(item, wall, at, words))
    return [
        ChartGroup(name, rows, sum(row.light == "red" for row in rows))
        for name, rows in sorted(by_name.items())
    ]


def _row(item: Mapping[str, Any], wall: Wall, at: At, words: Words) -> ChartRow:
    span = _span(item)
    place = wall.place(span)
    moved = place.slipped_days > 0
    return ChartRow(
        item["matter_id"],
        item["title"],
        item["summary"],
        item["requester_name"],
        words(f"desk.milestone.{item['state']}"),
        item["light"],
        at(span.due),
        at(span.original) if moved else None,
        words("desk.chart.slipped", days=place.slipped_days) if moved else None,
        item["blocker"],
        place,
    )
