"""What three services know of the same matters: disagreement is found, and news on its way is none."""

from uuid import UUID

import pytest

from deploy.operations.reconciliation.comparing import Disagreement, disagreements
from deploy.operations.reconciliation.reconciler import Reconciler
from shared.runtime.ids import new_id
from tests.integration.deploy.backups import Session

FOLLOWUP = """
insert into followup.matter (id, version, state, round, owner_id, next_due_at, breached, body, merged_into)
values ($1, 4, 'in_progress', 1, 'L001', now() + interval '1 day', false, '{"offer": {"offer_id": "x"}}', null)"""
ROUTING = """
insert into routing.matter (id, round, attempt, version, standing, offer_id, owner_id, requester_kind,
    requester_id, requester_name, kind, urgency, summary, detail, received_at, dispatched)
values ($1, 1, 1, 2, 'taken', $1, 'L001', 'enterprise', 'f', 'f', 'help', 'normal', 's', '', now(), '{}')"""
INTAKE = """
insert into intake.progress (request_id, state, round, owner_id, changed_at)
values ($1, 'in_progress', 1, 'L001', now())"""
EVENTS = """
insert into routing.event (id, subject, version, type, topic, at, data)
select uuidv7(), id::text, matter.version + {}, 'liaison.offer.made.v1', 'liaison.assignments', now(), '{{}}'
from routing.matter"""
CLOSED = """
insert into followup.matter (id, version, state, round, breached, body)
select uuidv7(make_interval(days => -9)), 4, 'rejected', 1, false, '{}' from generate_series(1, $1::int)"""
SAID = """
insert into followup.event (id, subject, version, type, topic, at, data)
values (uuidv7(), $1, $2, 'liaison.matter.opened.v1', 'liaison.matters', now(), '{}')"""
TAKEN_IN = """
insert into intake.inbox (event_id, topic, partition, "offset")
select id, topic, 0, seq from followup.event where version <> 4"""
SEEN = "insert into {}.seen (subject, topic, version) values ($1, $2, $3)"
FOLLOWED = (
    ("intake", "liaison.matters", 4),
    ("routing", "liaison.matters", 4),
    ("routing", "liaison.requests", 1),
    ("followup", "liaison.requests", 1),
    ("followup", "liaison.assignments", 2),
)


@pytest.fixture
async def matter_id(database_url: str) -> str:
    """A matter that a liaison has, which all three know alike."""
    matter_id = new_id()
    async with Session(database_url) as conn:
        for statement in (FOLLOWUP, ROUTING, INTAKE):
            await conn.execute(statement, UUID(matter_id))
        await conn.execute(EVENTS.format(0))
        for service, topic, version in FOLLOWED:
            await conn.execute(SEEN.format(service), matter_id, topic, version)
    assert await disagreements(database_url) == []
    return matter_id


@pytest.mark.parametrize(
    ("change", "service", "what"),
    [
        # As a forged `matter.closed` of the next version leaves them.
        ("update intake.seen set version = 5", "intake", "version"),
        (
            "update routing.seen set version = 5 where topic = 'liaison.matters'",
            "routing",
            "version",
        ),
        ("update intake.progress set state = 'closed'", "intake", "state"),
        ("update intake.progress set round = 2", "intake", "state"),
        ("delete from intake.progress", "intake", "state"),
        ("update intake.progress set owner_id = 'L002'", "intake", "owner"),
        ("delete from routing.matter", "routing", "state"),
        ("update routing.matter set version = 3", "routing", "version"),
        ("update routing.matter set round = 2", "routing", "state"),
        (
            "update routing.matter set standing = 'ended', offer_id = null",
            "routing",
            "state",
        ),
        ("update routing.matter set owner_id = 'L002'", "routing", "owner"),
        (
            "update routing.matter set standing = 'offered', due_at = now()",
            "routing",
            "offer",
        ),
        (
            "update followup.seen set version = 3 where topic = 'liaison.assignments'",
            "followup",
            "version",
        ),
    ],
)
async def test_case_90_a_disagreement_is_found(
    database_url: str, matter_id: str, change: str, service: str, what: str
):
    async with Session(database_url) as conn:
        await conn.execute(change)
    assert await disagreements(database_url) == [Disagreement(matter_id, service, what)]


@pytest.mark.parametrize(
    "change",
    [
        "update followup.matter set version = 5, state = 'handled'",
        f"{EVENTS.format(1)}; update routing.matter set version = 3, owner_id = 'L002'",
        "update routing.seen set version = 2 where topic = 'liaison.requests'",
        "delete from routing.matter",
    ],
)
async def test_news_on_its_way_is_no_disagreement(database_url: str, matter_id: str, change: str):
    async with Session(database_url) as conn:
        await conn.execute(change)
        if "requests" in change:
            await conn.execute("update routing.matter set standing = 'ended', offer_id = null")
        if "delete" in change:
            await conn.execute("delete from routing.seen")
            await conn.execute("delete from followup.seen where topic = 'liaison.assignments'")
    assert await disagreements(database_url) == []


async def test_case_90_two_runs_in_a_row_find_and_mend_it(database_url: str, matter_id: str):
    """One run says nothing: what it finds may be on its way. What two find is mended where a service can be."""
    reconciler = Reconciler(database_url, minutes=5)
    looks = "select service, what, looks, gone_at is null as stands from followup.disagreement"
    async with Session(database_url) as conn:
        await conn.execute("update routing.matter set owner_id = 'L002'")
        await conn.execute("update followup.seen set version = 3 where topic like '%assignments'")
        await reconciler.once()
        rows = {tuple(row) for row in await conn.fetch(looks)}
        assert ("followup", "version", 1, True) in rows
        assert await conn.fetchval("select count(*) from routing.correction") == 0
        await reconciler.once()
        await reconciler.once()
        rows = {tuple(row) for row in await conn.fetch(looks)}
        assert ("followup", "version", 2, False) in rows
        assert ("routing", "owner", 1, True) in rows
        await reconciler.once()
        ordered = await conn.fetchrow(
            "select matter_id::text, version, state from routing.correction"
        )
        assert tuple(ordered) == (matter_id, 4, "in_progress")
        assert await conn.fetchval("select ended_at from followup.reconciliation") is not None


async def test_a_walk_comes_to_every_matter_within_a_day(database_url: str):
    async with Session(database_url) as conn:
        await conn.execute(CLOSED, 1200)
        seen = set()
        reconciler = Reconciler(database_url, minutes=5)
        for _ in range(3):
            rest, walked_to = await reconciler._rest(conn)
            assert len(rest) <= 500
            seen |= set(rest)
            await conn.execute("update followup.reconciliation set walked_to = $1", walked_to)
        assert len(seen) == 1200
        assert walked_to.int == 0


@pytest.fixture
async def behind(database_url: str, matter_id: str) -> str:
    """A matter whose last event intake never took in, although it took in a later one of another."""
    async with Session(database_url) as conn:
        for version in range(1, 5):
            await conn.execute(SAID, matter_id, version)
        await conn.execute(SAID, new_id(), 1)
        await conn.execute(TAKEN_IN)
        await conn.execute("update intake.seen set version = 3")
    return matter_id


async def test_case_90_an_event_that_never_came_is_sent_again(database_url: str, behind: str):
    assert await disagreements(database_url) == [Disagreement(behind, "intake", "behind")]
    reconciler = Reconciler(database_url, minutes=5)
    await reconciler.once()
    await reconciler.once()
    async with Session(database_url) as conn:
        sent = "select array_agg(version order by seq) from followup.event join followup.outbox using (seq)"
        assert await conn.fetchval(sent) == [1, 2, 3, 4]
        seen = "select version from intake.seen where subject = $1"
        assert await conn.fetchval(seen, behind) == 0
        assert await conn.fetchval("select count(*) from intake.inbox") == 1
    assert await disagreements(database_url) == []


@pytest.mark.parametrize(
    "change",
    [
        "insert into followup.outbox select max(seq) from followup.event where version = 4",
        "update intake.inbox set partition = 1"
        " where event_id = (select id from followup.event order by seq desc limit 1)",
        """insert into intake.dead_letter (fate, reason, topic, partition, "offset", value_hash, header_names,
               header_values, subject, version)
           select 'failed', 'r', topic, 0, 9, '', array[]::text[], array[]::bytea[], subject, 4
           from followup.event where version = 4""",
    ],
)
async def test_what_may_still_come_is_not_behind(database_url: str, behind: str, change: str):
    async with Session(database_url) as conn:
        await conn.execute(change)
    assert await disagreements(database_url) == []
