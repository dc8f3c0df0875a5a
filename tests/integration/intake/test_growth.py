"""What a receipt's holder and a sender ask costs one request, however many there have been."""

import pytest

from services.intake.store import receipts, requests
from shared.runtime.database import open_database
from tests.support.plans import plan_of

HISTORY = """
insert into request (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind,
                     requester_kind, requester_id, requester_name, summary, detail, urgency, received_at)
select uuidv7(make_interval(secs => number - 20001)), 'https://sender.example/' || number % 3, number::text, '',
       'R' || number, 'x', 'web', 'ask', 'enterprise', 'x', 'x', 'x', '', 'normal', now()
from generate_series(1, 20000) as number;
insert into progress (request_id, state, round, changed_at) select id, 'closed', 1, now() from request;
insert into timeline (request_id, version, type, at)
select id, step, 'opened', now() from request cross join generate_series(1, 6) as step"""


async def test_no_question_reads_what_others_asked(database_url: str):
    database = await open_database(database_url, "intake")
    async with database.reading() as conn:
        await conn.execute(HISTORY)
        await conn.execute("vacuum analyze request, progress, timeline")
        request_id = await conn.fetchval("select id from request where source_ref = '77'")
    asked = {
        "a receipt": (receipts.SELECT_HELD, "R77"),
        "a receipt for a change": (receipts.LOCK_HELD, "R77"),
        "its timeline": (receipts.SELECT_TIMELINE, request_id),
        "a request whole": (receipts.SELECT_FULL, request_id),
        "what is known already": (
            requests.SELECT_KNOWN,
            ["https://sender.example/1"] * 50,
            [str(number) for number in range(50)],
        ),
    }
    async with database.transaction() as conn:
        for name, (statement, *arguments) in asked.items():
            plan = await plan_of(conn, statement, *arguments)
            assert plan.read_whole == set(), (name, plan.root)
            assert plan.rows_read <= 100, (name, plan.root)
    await database.close()


@pytest.mark.parametrize("senders", [1, 20_000])
async def test_a_batch_that_comes_again_is_looked_up_by_its_names(database_url: str, senders: int):
    """One sender with everything, or as many senders as requests: the names lead all the same."""
    database = await open_database(database_url, "intake")
    async with database.reading() as conn:
        await conn.execute(HISTORY.replace("number % 3", f"number % {senders}"))
        await conn.execute("vacuum analyze request")
        plan = await plan_of(
            conn,
            requests.SELECT_KNOWN,
            ["https://sender.example/0"] * 50,
            [str(number) for number in range(50)],
        )
    assert plan.indexes == {"request_source"}, plan.root
    await database.close()
