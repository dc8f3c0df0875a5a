"""`/desk/lead` 领导小组: the rates of a period with what they are made of, by park, department, liaison or category."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from fastapi import APIRouter, Query, Request, Response

from services.desk.domain.shares import Share, share_of
from services.desk.pages import layout, visitors
from services.desk.pages.routing import StaffRoute
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.wording import Words, left_out_in_words, span, words_in
from shared.web.look import SECURITY_HEADERS

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

Group: TypeAlias = Literal["park", "department", "liaison", "category", "kind", "channel"]
GROUPS: Final[tuple[str, ...]] = get_args(Group)
RATES: Final = (
    "response", "resolution", "satisfaction", "reached", "on_time", "instant", "declined", "reopened",
)  # fmt: skip
TIMES: Final = ("to_accept", "to_first_contact", "to_closure")
USUAL_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class RateColumn:
    """One rate of a group."""

    name: str
    share: Share
    left_out: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """A group of the table, or the whole; times in words, None where nothing was measured."""

    label: str
    rates: Sequence[RateColumn]
    times: Sequence[tuple[str, str | None, str | None]]


@router.get("/desk/lead")
async def lead(
    request: Request,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to")] = None,
    by: Annotated[Group, Query()] = "park",
    form: Annotated[Literal["page", "csv"], Query()] = "page",
) -> Response:
    """The rates of whole days of the town, `to` included, the last 30 days at first; with `form=csv` as a file."""
    person = await layout.member(request)
    here, words = surroundings_of(request), words_in(visitors.language(request))
    end = until or here.clock().astimezone(here.zone).date()
    start = since or end - timedelta(days=USUAL_DAYS - 1)
    found = await layout.services_of(request).get(
        await visitors.visitor(request),
        "/followup/rates",
        **{"from": start.isoformat(), "to": end.isoformat(), "by": by},
    )
    whole = _row(found, words("desk.lead.whole"), words)
    rows = [_row(each, _label(each["key"], by, words), words) for each in found["items"]]
    if form == "csv":
        return _file(whole, rows, f"{start}_{end}_{by}", words)
    return layout.page(
        request,
        "desk/lead.html",
        here="lead",
        person=person,
        whole=whole,
        rows=rows,
        since=start.isoformat(),
        until=end.isoformat(),
        by=by,
        groups=GROUPS,
        rates=RATES,
    )


def _row(found: Mapping[str, Any], label: str, words: Words) -> RateRow:
    rates = [_column(name, found["rates"][name], words) for name in RATES]
    times = [
        (
            words(f"desk.lead.time.{name}"),
            _length(found["times"][name]["p50_s"], words),
            _length(found["times"][name]["p90_s"], words),
        )
        for name in TIMES
    ]
    return RateRow(label, rates, times)


def _column(name: str, rate: Mapping[str, Any], words: Words) -> RateColumn:
    share = share_of(rate["numerator"], rate["denominator"])
    return RateColumn(name, share, left_out_in_words(rate["left_out"], words))


def _length(seconds: float | None, words: Words) -> str | None:
    return None if seconds is None else span(timedelta(seconds=seconds), words)


def _label(key: str | None, by: str, words: Words) -> str:
    if key is None:
        return words("desk.lead.none")
    if by == "kind":
        return words(f"page.kind.{key}")
    return words(f"desk.channel.{key}") if by == "channel" else key


def _file(whole: RateRow, rows: Sequence[RateRow], name: str, words: Words) -> Response:
    """A table for a spreadsheet: UTF-8 with its mark, text that no program takes for a formula."""
    written = io.StringIO()
    table = csv.writer(written)
    heads = [words(f"desk.lead.rate.{rate}") for rate in RATES]
    table.writerow(["", *(f"{head}{part}" for head in heads for part in (" %", " n", " N"))])
    for row in (whole, *rows):
        numbers = [
            value
            for each in row.rates
            for value in (each.share.percent, each.share.numerator, each.share.denominator)
        ]
        table.writerow([_inert(row.label), *numbers])
    return Response(
        written.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={
            **SECURITY_HEADERS,
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="liaison_{name}.csv"',
        },
    )


def _inert(label: str) -> str:
    # A spreadsheet takes a cell that begins so for a formula.
    return f"'{label}" if label.startswith(("=", "+", "-", "@", "\t", "\r")) else label
