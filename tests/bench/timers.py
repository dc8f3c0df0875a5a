"""(5) the timers' cost follows what is due: one sweep of each service, with 100,000 open matters and with 100."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from services.followup.domain.limits import LimitTable
from services.followup.handlers import office as followup_office
from services.followup.handlers import sweep as followup_sweep
from services.routing.domain.dispatching import Limits
from services.routing.handlers import due as routing_due
from services.routing.handlers import office as routing_office
from services.routing.handlers.office import ActiveCatalogue
from shared.calendar.china import service_calendar
from shared.contracts.events.published import EVENTS
from shared.delivery.inbox import store
from shared.http.writes.idempotency import forget_old_keys
from shared.runtime.database import Connection, Database, open_database
from tests.bench.filling import fill
from tests.bench.ground import SERVICES, Place, standing
from tests.bench.line import Line, Scope
from tests.bench.town import Town

OPEN, FEW, BRIEF_OPEN = 100_000, 100, 1_000
DUE = 10
TIMES = 20
NOW = "select now()"
DUE_AT = """
select max(at) from (select {column} as at from matter where {column} is not null order by {column} limit $1) as due"""
HOW_MANY_DUE = "select count(*) from matter where {column} <= $1"
READ = """
select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint
from pg_stat_xact_user_tables where schemaname = current_schema()"""

Step = Callable[[Connection], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found due, how many rows its service's tables gave for it, and how long it took."""

    due: int
    rows_read: int
    ms: float


async def measure(scope: Scope) -> list[Line]:
    """A sweep is rolled back each time, so that it finds the same again."""
    many = BRIEF_OPEN if scope.brief else OPEN
    found: dict[int, dict[str, Swept]] = {}
    with standing(scope.folder) as ground:
        for opened in (FEW, many):
            place, town = await ground.place(), Town()
            await town.settle_in(place.url)
            await fill(place.url, town, 2 * opened, opened)
            found[opened] = await _swept(place)
            for name, swept in found[opened].items():
                scope.say(f"  {opened:,} open, {name}: {swept}")
    return [_line(name, found, many) for name in found[many]]


async def _swept(place: Place) -> dict[str, Swept]:
    databases = {name: await open_database(place.url, name) for name in SERVICES}
    try:
        found = {
            "followup's clocks": await _due(databases["followup"], "act_at", _followup),
            "routing's offers and reviews": await _due(databases["routing"], "due_at", _routing),
        }
        idle = [await _least(database, _housekeeping) for database in databases.values()]
    finally:
        for database in databases.values():
            await database.close()
    read, spent = sum(one[0] for one in idle), sum(one[1] for one in idle)
    found["what has nothing due: letters and kept answers of all three"] = Swept(0, read, spent)
    return found


async def _due(
    db: Database, column: str, sweep: Callable[[datetime, Connection], Awaitable[object]]
) -> Swept:
    """Ten or so are due: as many as share the tenth's moment."""
    async with db.reading() as conn:
        at = await conn.fetchval(DUE_AT.format(column=column), DUE)
        due = await conn.fetchval(HOW_MANY_DUE.format(column=column), at)
    read, spent = await _least(db, partial(sweep, at))
    return Swept(due, read, spent)


async def _followup(at: datetime, conn: Connection) -> None:
    office = followup_office.Office(service_calendar(None), LimitTable(), "DESK")
    await followup_sweep.sweep(conn, office, at)


async def _routing(at: datetime, conn: Connection) -> None:
    limits = Limits()
    office = routing_office.Office(service_calendar(None), limits, ActiveCatalogue(limits))
    await routing_due.sweep(conn, office, at)


async def _housekeeping(conn: Connection) -> None:
    await store.ask_known(conn, list(EVENTS), "bench")
    await store.load_forgotten(conn, 500)
    await forget_old_keys(conn)


class _Undone(Exception):
    """Rolls back what was measured."""


async def _least(db: Database, step: Step) -> tuple[int, float]:
    """Rows read and milliseconds of the best of some tries: the first compile plans and catalogues."""
    best = (0, float("inf"))
    for _ in range(TIMES):
        try:
            async with db.transaction() as conn:
                before = await conn.fetchval(READ)
                begun = time.perf_counter()
                await step(conn)
                spent = 1000 * (time.perf_counter() - begun)
                read = await conn.fetchval(READ) - before
                if spent < best[1]:
                    best = (read, round(spent, 2))
                raise _Undone
        except _Undone:
            continue
    return best


def _line(name: str, found: Mapping[int, Mapping[str, Swept]], many: int) -> Line:
    ours, few = found[many][name], found[FEW][name]
    # By the row that is due, for a moment may be shared.
    mine, theirs = (each.rows_read / max(1, each.due) for each in (ours, few))
    return Line(
        number=5,
        name=f"rows read for each that is due, {many:,} open: {name}",
        unit="rows",
        ours=round(mine, 2),
        beside={f"{FEW} open": round(theirs, 2)},
        goal=f"no more than with {FEW} open",
        met=mine <= theirs + 1,
        notes={"many": asdict(ours), "few": asdict(few)},
    )
