"""What delivery asks all the time costs what is pending, not what has ever been."""

import pytest

from shared.delivery.inbox import dead_letters, letters, store
from shared.delivery.outbox import relay
from shared.http.writes import idempotency
from shared.runtime import supervisor
from shared.runtime.database import Database, open_database
from tests.support.plans import plan_of

SUBJECT = "0198f3c1-7a52-7c3e-9f10-2b6d5e8a4c01"
# A long history, with the last 50 events pending and a few letters that wait.
HISTORY = f"""
insert into event (id, subject, version, type, topic, at, data)
select uuidv7(), '{SUBJECT}' || number, 1, 't', 'liaison.matters', now(), '{{}}'
from generate_series(1, 20000) as number;
insert into outbox (seq) select seq from event where seq > 19950;
insert into seen (subject, topic, version, held)
select '{SUBJECT}' || number, 'liaison.matters', 1, number % 5000 = 0 from generate_series(1, 20000) as number;
insert into dead_letter (fate, state, reason, topic, partition, "offset", value_hash, header_names, header_values,
                         subject, version, first_failed_at, last_failed_at, asked)
select (array['poison', 'failed', 'unknown_version', 'gap'])[1 + number % 4],
       case when number % 2000 < 4 then 'waiting' when number % 2 = 0 then 'replayed' else 'discarded' end,
       'x', 'liaison.matters', 0, number, '', '{{}}', '{{}}', '{SUBJECT}' || number, 2,
       now() - make_interval(secs => number), now() - make_interval(secs => number),
       case when number % 4000 = 0 then 'replay' end
from generate_series(1, 20000) as number;
insert into idempotency (party, key, fingerprint, status, headers, body, at)
select 'x', number::text, '', 200, '{{}}', '{{}}', now() - make_interval(mins => number)
from generate_series(1, 20000) as number"""
SUBJECTS = [f"{SUBJECT}{number}" for number in (1, 5000, 19_999)]

ASKED = {
    "the relay's batch": (relay.SELECT_PENDING, relay.BATCH),
    "what was sent": (relay.DELETE_SENT, [1, 2, 3]),
    "health": (supervisor.SELECT_HEALTH, supervisor.MOST_COUNTED),
    "how far subjects have come": (store.LOAD_SEEN, SUBJECTS),
    "letters whose turn has come": (store.LOAD_DUE, SUBJECTS, 500),
    "what subjects go on without": (store.LOAD_DISCARDED, SUBJECTS),
    "which subjects are held": (store.SELECT_HELD, SUBJECTS),
    "letters that nobody came for": (store.LOAD_FORGOTTEN, 500),
    "letters of types known by now": (store.ASK_KNOWN, [b"t"], "x"),
    "what an operator asked for": (store.LOAD_ASKED,),
    "letters that wait": (dead_letters.LIST_WAITING, 50),
    "letters of all kinds": (dead_letters.LIST_ALL, 50),
    "a letter's next event": (letters.NEXT_VERSION, SUBJECTS[0]),
    "answers that are forgotten": (idempotency.FORGET_KEYS, 100),
}
MOST_READ = 500


@pytest.fixture
async def grown(database_url: str) -> Database:
    """Intake's schema after years of work."""
    database = await open_database(database_url, "intake")
    async with database.reading() as conn:
        await conn.execute(HISTORY)
        await conn.execute("vacuum analyze event, outbox, seen, dead_letter, idempotency")
    yield database
    await database.close()


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_asked_all_the_time_reads_no_history(grown: Database, name: str):
    statement, *arguments = ASKED[name]
    async with grown.transaction() as conn:
        plan = await plan_of(conn, statement, *arguments)
    # So few rows are pending that an index of them would be no shorter.
    assert plan.read_whole <= {"outbox"}, plan.root
    assert plan.rows_read <= MOST_READ, (plan.rows_read, plan.root)
