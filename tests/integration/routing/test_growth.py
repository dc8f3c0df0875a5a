"""Cost follows what is open or due, not what has ever been: the plans are looked at with a long history in place."""

import re

import pytest

from services.routing.store import feed, figures, matters, offers, queues, reviews, trials
from services.routing.store.directory import listing, town
from services.routing.store.queues import FIRST
from shared.runtime.database import Connection
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import FIRM, MONDAY, registered
from tests.support import plans

# A long history: matters that ended, with their offers, objections and feed, beside a few that are open.
HISTORY = """
insert into matter (id, round, attempt, version, standing, requester_kind, requester_id,
                    requester_name, kind, urgency, summary, detail, received_at, dispatched)
select uuidv7(interval '-30 days'), 1, 1, 2, 'ended', 'enterprise', 'x', 'x', 'help', 'normal',
       'x', '', $1, (select dispatched from matter limit 1)
from generate_series(1, 20000)"""
OFFERS = """
insert into offer (id, matter_id, round, attempt, party, candidacy, cause, considered, received_at,
                   offered_at, expires_at, calendar_version, state, holding)
select uuidv7(interval '-30 days'), id, 1, 1, 'L001', 'primary', 'registered', '[]', $1, $1, $1,
       'x', 'accepted', false
from matter where standing = 'ended'"""
FEED = """
insert into feed (party, position, kind, offer_id, at)
select 'L003', number, 'offered', uuidv7(), $1 from generate_series(1, 20000) as number"""
OBJECTIONS = """
insert into objection (id, matter_id, offer_id, round, raised_by, suggested_owner, reason_code,
                       raised_at, review_at, state)
select uuidv7(), offer.matter_id, offer.id, 1, 'L001', 'L002', 'other', $1, $1, 'upheld'
from offer where state = 'accepted' limit 10000"""
ABSENCES = """
insert into absence (liaison_id, id, from_at, until_at, begun)
select 'L003', 'old' || number, timestamptz '2020-01-01', timestamptz '2020-01-02', true
from generate_series(1, 5000) as number"""


@pytest.fixture
async def old_town(routing: Routing) -> Routing:
    await routing.take_requests(*(registered() for _ in range(20)))
    async with routing.db.transaction() as conn:
        for statement in (HISTORY, OFFERS, FEED, OBJECTIONS):
            await conn.execute(statement, MONDAY)
        await conn.execute(ABSENCES)
    async with routing.db.reading() as conn:
        await conn.execute("analyze")
    return routing


async def plan_of(conn: Connection, statement: str, *arguments: object) -> str:
    """The plan that is kept for a prepared statement, which knows no arguments."""
    await conn.execute("set plan_cache_mode = force_generic_plan")
    rows = await conn.fetch(f"explain (analyze, costs off, timing off) {statement}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_what_is_asked_all_the_time_reads_no_history(old_town: Routing):
    some = [registered().subject for _ in range(3)]
    asked = (
        (matters.CLAIM_DUE, MONDAY, 500),
        (matters.FIND_OFFERED_TO, ["L001"], 500),
        (matters.LOCK_MATTERS, some),
        (offers.LOAD_OFFERS, some, None, 100),
        (offers.LOAD_OBJECTIONS, some),
        (town.LOAD_AWAY, MONDAY),
        (town.LOAD_ENTERPRISES, [FIRM], MONDAY.date()),
        (town.LOCK_LIAISONS, ["L001", "L002"]),
        (queues.LIST_QUEUE, "L001", "offered", *FIRST, 51),
        (queues.LIST_QUEUE, "L001", "accepted", *FIRST, 51),
        (queues.READ_FEED, "L003", 19_990, 200),
        (feed.IS_KEPT, "L003", 19_990),
        (feed.FORGET, MONDAY, 100),
        (reviews.LIST_REVIEWS, "open", *FIRST, 51),
        (trials.LOAD_PAST, trials.NEWEST, 500),
        (listing.LIST_TIES, "", 51, FIRM, None),
    )
    async with old_town.db.reading() as conn:
        for statement, *arguments in asked:
            plan = await plan_of(conn, statement, *arguments)
            for table in ("matter", "offer", "feed", "objection", "absence"):
                assert f"Seq Scan on {table}" not in plan, f"{statement}\n{plan}"
            read = [int(rows) for rows in re.findall(r"Rows Removed by [^:]*: (\d+)", plan)]
            assert sum(read) < 200, f"{statement}\n{plan}"


async def test_a_sweep_touches_what_is_due_alone(old_town: Routing):
    due = (await old_town.rows("select min(due_at) as at from matter"))[0]["at"]
    async with old_town.db.reading() as conn:
        plan = await plan_of(conn, matters.CLAIM_DUE, due, 500)
        explained = await plans.plan_of(conn, matters.CLAIM_DUE, due, 500)
    assert "matter_due" in plan
    assert explained.rows_read == 20, plan
    assert await old_town.sweep(due) == 20


async def test_counting_what_waits_reads_what_waits(old_town: Routing):
    """Of 20,000 matters 20 are open: each is read for its count, and for how long it has waited."""
    async with old_town.db.reading() as conn:
        most = (figures.MOST_COUNTED, figures.MOST_QUEUES)
        plan = await plans.plan_of(conn, figures.SELECT_WAITING, *most)
    # A town has no more queues than parties.
    assert plan.read_whole <= {"queue"}, plan.root
    assert plan.indexes >= {"matter_due", "offer_queue", "offer_attempt"}
    # So few are open that any index of those serves.
    assert plan.indexes & {"objection_review", "objection_state", "objection_one_open"}
    assert plan.rows_read < 200, plan.root
