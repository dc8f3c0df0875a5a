"""Reconciliation job: compares the services' rows and corrects persistent differences.

It is started by `python -m deploy.operations.reconciliation.reconciler`.

Each run looks at the matters that are open or began in the last 3 days, and at a part of the others, so that every
matter is looked at within a day. What two runs in a row find is said and mended.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from pydantic import Field

from deploy.operations.reconciliation.comparing import ENDED_DAYS, Disagreement, disagreements_of
from deploy.operations.reconciliation.mending import mend
from shared.observability.logging import configure_logging
from shared.observability.redaction import reason_of
from shared.runtime.table_copy import Session, connect_to_copy
from shared.service.settings import ServerSettings, read_settings

log = structlog.get_logger()

SLICE: Final = 500
MOST_OPEN: Final = 500_000
MOST_MENDED: Final = 100
"""In one run. Where more is wrong a person looks first, and `liaison replay` is the way."""

DAY_SECONDS: Final = 24 * 3600.0
LONGEST_PAUSE_SECONDS: Final = 3600.0
FAULTS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

TRY_LEAD = "select pg_try_advisory_lock(hashtextextended('liaison.reconcile', 0))"
SELECT_OPEN = """
select id from followup.matter where next_due_at is not null
union
select id from followup.matter where id > (select uuidv7(make_interval(days => -$1::int)))
limit $2"""
SELECT_REST = """
select id from followup.matter
where id > $1 and next_due_at is null and id <= (select uuidv7(make_interval(days => -$2::int)))
order by id limit $3"""
SELECT_WALKED = "select walked_to from followup.reconciliation"
SELECT_SIZE = (
    "select greatest(reltuples, 0)::float from pg_class where oid = 'followup.matter'::regclass"
)

MARK_GONE = """
update followup.disagreement as old set gone_at = now()
where old.matter_id = any($1::uuid[]) and old.gone_at is null
  and not exists (select from unnest($2::uuid[], $3::text[], $4::text[]) as given (matter_id, service, what)
                  where (given.matter_id, given.service, given.what) = (old.matter_id, old.service, old.what))"""
MARK_FOUND = """
insert into followup.disagreement as old (matter_id, service, what)
select given.matter_id, given.service, given.what
from unnest($1::uuid[], $2::text[], $3::text[]) as given (matter_id, service, what)
on conflict (matter_id, service, what) do update
set looks = case when old.gone_at is null then old.looks + 1 else 1 end,
    found_at = case when old.gone_at is null then old.found_at else now() end, gone_at = null
returning matter_id::text, service, what, looks"""
FORGET_GONE = """
delete from followup.disagreement
where gone_at is not null and (looks = 1 or gone_at < now() - interval '1 hour')"""
END_RUN = "update followup.reconciliation set walked_to = $1, ended_at = now()"


class ReconcileSettings(ServerSettings):
    """Settings of the reconciliation: the database, and how often matters are compared."""

    reconcile_minutes: float = Field(
        5.0, ge=0.01, le=1440, description="minutes between two reconciliation runs"
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")


class Reconciler:
    """Compares and corrects rows by `url`, a login that may write all three schemas."""

    def __init__(self, url: str, minutes: float) -> None:
        self._url = url
        self._pause = minutes * 60

    async def run(self) -> None:
        """Run for ever. A failure is logged; the pause before the next run grows, up to an hour."""
        pause = self._pause
        while True:
            try:
                await self.once()
                pause = self._pause
            except FAULTS as fault:
                pause = max(self._pause, min(2 * pause, LONGEST_PAUSE_SECONDS))
                log.warning("reconcile.failed", fault=reason_of(fault), pause_s=pause)
            await asyncio.sleep(pause)

    async def once(self) -> None:
        """Compare the matters whose turn it is; do nothing while another process reconciles."""
        conn = await connect_to_copy(self._url)
        try:
            if await conn.fetchval(TRY_LEAD):
                await self._compare(conn)
        finally:
            with contextlib.suppress(*FAULTS):
                await conn.close(timeout=1)

    async def _compare(self, conn: Session) -> None:
        ids = [row["id"] for row in await conn.fetch(SELECT_OPEN, ENDED_DAYS, MOST_OPEN)]
        rest, walked_to = await self._rest(conn)
        to_mend: list[Disagreement] = []
        for matters in sliced(sorted(ids) + rest):
            begun = time.monotonic()
            to_mend += await recorded(conn, matters)
            # Half of the time is the services' own.
            await asyncio.sleep(time.monotonic() - begun)
        if len(to_mend) > MOST_MENDED:
            log.error("reconcile.too_many", count=len(to_mend), mended=MOST_MENDED)
        # What is wrong in several ways is mended once.
        once = {(found.matter_id, found.service): found for found in to_mend}
        for found in list(once.values())[:MOST_MENDED]:
            await self._mend(found)
        await conn.execute(FORGET_GONE)
        await conn.execute(END_RUN, walked_to)

    async def _rest(self, conn: Session) -> tuple[list[UUID], UUID]:
        """Return the next slice of ended matters, and the position after it."""
        runs = max(1.0, DAY_SECONDS / self._pause)
        share = max(SLICE, ceil(await conn.fetchval(SELECT_SIZE) / runs))
        after = await conn.fetchval(SELECT_WALKED)
        rest = [row["id"] for row in await conn.fetch(SELECT_REST, after, ENDED_DAYS, share)]
        return rest, rest[-1] if len(rest) == share else UUID(int=0)

    async def _mend(self, found: Disagreement) -> None:
        conn = await connect_to_copy(self._url)
        try:
            if await mend(conn, found):
                log.warning("reconcile.mended", **found._asdict())
            else:
                log.error("reconcile.for_a_person", **found._asdict())
        except asyncpg.PostgresError as fault:
            log.error("reconcile.not_mended", fault=reason_of(fault), **found._asdict())
        finally:
            with contextlib.suppress(*FAULTS):
                await conn.close(timeout=1)


async def recorded(conn: Session, matters: Sequence[UUID]) -> list[Disagreement]:
    """Compare these matters and record the differences; return those to correct now.

    That is what an earlier run found too, and after a mending that did not help, less and less often.
    """
    found = await disagreements_of(conn, [str(each) for each in matters])
    columns = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
    async with conn.transaction():
        await conn.execute(MARK_GONE, matters, *columns)
        rows = await conn.fetch(MARK_FOUND, *columns)
    wanted = []
    for row in rows:
        *place, looks = row.values()
        disagreement = Disagreement(*place)
        if looks >= 2 and looks.bit_count() == 1:
            log.error("reconcile.disagrees", looks=looks, **disagreement._asdict())
            wanted.append(disagreement)
    return wanted


def sliced(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield the ids in slices of some hundred."""
    for start in range(0, len(ids), SLICE):
        yield ids[start : start + SLICE]


def main() -> None:
    """Read the settings and reconcile until SIGTERM."""
    settings = read_settings(ReconcileSettings)
    configure_logging(settings.log_level)
    if not settings.database:
        raise SystemExit("name the database: LIAISON_DATABASE_URL")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Reconciler(settings.database, settings.reconcile_minutes).run())


if __name__ == "__main__":
    main()
