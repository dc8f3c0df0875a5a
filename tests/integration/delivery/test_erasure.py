"""What is about a person goes out of the history, and the history still proves itself."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.audit import erasure
from shared.audit.erasure import ERASED, ErasureRequest
from shared.contracts.events.published import EVENTS
from shared.delivery.outbox.recording import Outgoing, record
from shared.runtime.ids import new_id
from tests.integration.delivery.sealed import add, erase, found, seal_all, tamper, walked
from tests.integration.delivery.town import AT, Town, amended

SECRET = "沈某某 000-5550-0107"


async def say(town: Town, subject: str, version: int, words: str = SECRET) -> None:
    async with town.db.transaction() as conn:
        await record(conn, [Outgoing(subject, version, amended(subject, words), AT)])


async def test_an_event_loses_its_words_and_nothing_else(town: Town):
    await say(town, "m1", 1)
    [before] = await town.fetch("select * from event")
    assert await erase(town, "m1") == {"event": 1}
    [after] = await town.fetch("select * from event")
    data = json.loads(after["data"])
    assert data == json.loads(before["data"]) | {"message": ERASED}
    assert {**after, "data": None} == {**before, "data": None}
    assert EVENTS[after["type"]].model_validate_json(after["data"]), "it can be sent again"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_chain_still_fits(town: Town, when: str):
    await add(town, 5)
    await say(town, "m1", 1)
    await say(town, "m1", 2)
    if when == "after":
        await seal_all(town)
    await erase(town, "m1")
    await seal_all(town)
    verdict = await walked(town)
    assert verdict.altered is None
    assert (verdict.events, verdict.erased, verdict.seals, verdict.unsealed) == (7, 2, 2, 0)


async def test_twice_is_once(town: Town):
    await say(town, "m1", 1)
    await seal_all(town)
    assert await erase(town, "m1")
    rows = [await town.fetch(f"select * from {table}") for table in ("event", "erasure", "seal")]
    assert await erase(town, "m1") == {}
    assert rows == [
        await town.fetch(f"select * from {table}") for table in ("event", "erasure", "seal")
    ]


async def test_what_was_said_since_is_erased_too(town: Town):
    await say(town, "m1", 1)
    await erase(town, "m1")
    await say(town, "m1", 2)
    await seal_all(town)
    assert await erase(town, "m1") == {"event": 1}
    assert not await town.fetch("select from event where strpos(data::text, $1) > 0", SECRET)
    verdict = await walked(town)
    assert verdict.altered is None
    assert (verdict.events, verdict.erased) == (2, 1 + 1)


async def test_it_is_on_record_who_erased_what_and_why_without_what_it_was(town: Town):
    await say(town, "m1", 1)
    await erase(town, "m1")
    [row] = await town.fetch("select * from erasure")
    assert (row["subject"], row["erased_by"], row["because"]) == ("m1", "operator", "was asked to")
    assert json.loads(row["erased"]) == {"event": 1}
    texts = await town.fetch(
        "select row::text from erasure as row union all select row::text from erased_event as row"
    )
    assert not any(SECRET in row["row"] for row in texts)


AFTER_AN_ERASURE = {
    "an erased event changed again": (
        "update event set data = '{\"message\": \"quite another\"}' where subject = 'm1'",
        ("event", 1, 2),
    ),
    "the record's reason changed": ("update erasure set because = 'nothing'", ("erasure", 2, None)),
    "another event given the excuse": (
        """insert into erased_event
           select event.seq, erasure.id, sha256(convert_to(data::text, 'UTF8')), sha256('{}')
           from event, erasure where event.subject = 's1';
           update event set data = '{}' where subject = 's1'""",
        ("erasure", 2, None),
    ),
    "an erasure that nobody sealed": (
        """insert into erasure select uuidv7(), 's1', now(), 'x', 'x', '{}';
           insert into erased_event
           select event.seq, erasure.id, sha256(convert_to(data::text, 'UTF8')), sha256('{}')
           from event, erasure where event.subject = 's1' and erasure.subject = 's1';
           update event set data = '{}' where subject = 's1'""",
        ("erasure_unsealed", 2, None),
    ),
    "an erasure undone": (
        "update seal set erasure = null; delete from erased_event; delete from erasure",
        ("event", 1, 2),
    ),
}


@pytest.mark.parametrize("name", AFTER_AN_ERASURE)
async def test_an_erasure_is_no_excuse(town: Town, name: str):
    statement, expected = AFTER_AN_ERASURE[name]
    await add(town, 1)
    await say(town, "m1", 1)
    await seal_all(town)
    await erase(town, "m1")
    await tamper(town)
    assert await found(town) is None
    await tamper(town, statement)
    assert await found(town) == expected


async def test_naming_an_erasure_opens_no_other_event(town: Town):
    await add(town, 1)
    await say(town, "m1", 1)
    await erase(town, "m1")
    for change in ("subject = 'other'", "data = '{}'"):
        async with town.db.reading() as conn, conn.transaction():
            await conn.execute(
                "select set_config('liaison.erasure', (select id::text from erasure), true)"
            )
            with pytest.raises(asyncpg.RestrictViolationError):
                await conn.execute(f"update event set {change}")


async def test_letters_that_were_settled_lose_their_messages(town: Town):
    await town.execute(
        """insert into dead_letter (fate, state, reason, topic, partition, "offset", value_hash, key, value,
                                    header_names, header_values, subject, version)
           select 'failed', state, 'the words ' || $1, topic, 0, place, '', null, convert_to(body, 'UTF8'),
                  '{}', '{}', subject, null
           from (values (1, 'replayed', 'liaison.requests', 'm1', $1),
                        (2, 'discarded', 'liaison.submissions', null, '{"source": "urn:a", "ref": "r-7", "' || $1),
                        (3, 'discarded', 'liaison.submissions', null, '{"source": "urn:b", "ref": "r-7"}'),
                        (4, 'replayed', 'liaison.matters', 'm2', '{"into": "m1"}'),
                        (5, 'waiting', 'liaison.requests', 'm3', $1))
                as given (place, state, topic, subject, body)""",
        SECRET,
    )
    async with town.db.reading() as conn:
        assert await erasure.waiting_letters(conn, "m1", (("urn:a", "r-7"),)) == []
        assert len(await erasure.waiting_letters(conn, "m3")) == 1
    asked = ErasureRequest(UUID(new_id()), "m1", datetime.now(UTC), "operator", "was asked to")
    async with town.db.transaction() as conn:
        await erasure.begin(conn)
        done = await erasure.finish(conn, asked, {}, (("urn:a", "r-7"),))
    assert done == {"dead_letter": 2}
    rows = await town.fetch('select "offset" from dead_letter where value is null order by 1')
    assert [row["offset"] for row in rows] == [1, 2]
    left = await town.fetch(
        'select "offset" from dead_letter as row where strpos(row::text, $1) > 0 order by 1', SECRET
    )
    assert [row["offset"] for row in left] == [3, 4, 5], "the reasons of other letters"


async def test_answers_that_tell_of_it_are_forgotten_but_not_that_they_were_given(town: Town):
    matter = str(uuid4())
    await town.execute(
        """insert into idempotency (party, key, fingerprint, status, headers, body)
           values ('p', 'a', '', 200, '{}', $1), ('p', 'b', '', 200, '{}', $2), ('p', 'c', '', 0, '{}', '{}')""",
        json.dumps({"matter_id": matter, "answer": SECRET}),
        json.dumps({"matter_id": str(uuid4()), "answer": "another's"}),
    )
    async with town.db.transaction() as conn:
        assert await erasure.erase_answers(conn, matter) == 1
        assert await erasure.erase_answers(conn, matter) == 0
    rows = await town.fetch("select body from idempotency order by key")
    assert json.loads(rows[0]["body"]) == {"matter_id": matter}
    assert json.loads(rows[1]["body"])["answer"] == "another's"
