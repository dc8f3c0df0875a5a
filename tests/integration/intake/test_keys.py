"""Submissions over HTTP: a key gets the first answer again, and one bad event leaves its neighbours alone."""

import asyncio
import json

import asyncpg
import httpx
import pytest

from services.intake.settings import Settings
from tests.integration.intake.samples import cloudevent, submission

PATH = "/intake/requests"
BATCH = {"content-type": "application/cloudevents-batch+json"}


def key(name: str) -> dict[str, str]:
    return {"idempotency-key": name}


async def requests_taken(settings: Settings) -> int:
    conn = await asyncpg.connect(settings.database)
    try:
        count: int = await conn.fetchval("select count(*) from intake.request")
        return count
    finally:
        await conn.close()


async def test_case_22_a_key_gets_the_first_answer_again(
    intake: httpx.AsyncClient, settings: Settings
) -> None:
    sent = submission()
    first = await intake.post(PATH, json=sent, headers=key("one"))
    again = await intake.post(PATH, json=sent, headers=key("one"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = await intake.post(PATH, json=submission(), headers=key("one"))
    assert other.status_code == 422
    assert other.json()["type"] == "urn:liaison:problem:idempotency_key_reused"
    assert await requests_taken(settings) == 1


async def test_case_22_of_many_with_one_key_one_is_taken(
    intake: httpx.AsyncClient, settings: Settings
) -> None:
    sent = submission()
    answers = await asyncio.gather(
        *(intake.post(PATH, json=sent, headers=key("many")) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["receipt"] for answer in answers}) == 1
    assert await requests_taken(settings) == 1


async def test_case_22_a_key_stands_for_a_batch_too(
    intake: httpx.AsyncClient, settings: Settings
) -> None:
    events = [cloudevent(submission()), cloudevent(submission(kind="riddle"))]
    first, again = [
        await intake.post(PATH, json=events, headers=BATCH | key("batch")) for _ in range(2)
    ]
    assert [item["status"] for item in first.json()["items"]] == [202, 422]
    assert first.json() == again.json()
    assert await requests_taken(settings) == 1


async def test_a_refusal_is_not_kept_with_its_key(intake: httpx.AsyncClient) -> None:
    refused = await intake.post(PATH, json=submission(kind="riddle"), headers=key("again"))
    assert refused.status_code == 422
    taken = await intake.post(PATH, json=submission(), headers=key("again"))
    assert taken.status_code == 202


@pytest.mark.parametrize("wrong", ["", "a" * 256, "ключ".encode()], ids=ascii)
async def test_a_key_that_is_none_takes_nothing(
    intake: httpx.AsyncClient, settings: Settings, wrong: str | bytes
) -> None:
    headers = [("idempotency-key", wrong)]
    answer = await intake.post(PATH, json=submission(), headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "urn:liaison:problem:bad_idempotency_key"
    assert await requests_taken(settings) == 0


def event(**changes: object) -> bytes:
    return json.dumps(cloudevent(submission()) | changes).encode()


DATA = {"summary": "half"}
BAD = {
    "half an emoji": event().replace(b'"specversion"', b'"note": "\\ud83d", "specversion"'),
    "half an emoji in the data": event(data=DATA).replace(b'"half"', b'"\\ud83d"'),
    "array": b"[1, 2]",
    "null": b"null",
    "number": b"7",
    "deep": b"[" * 300 + b"]" * 300,
    "deeper": b'{"a": ' * 5000 + b"1" + b"}" * 5000,
    "not a number": event(data=DATA).replace(b'"half"', b"NaN"),
    "huge": event(data=DATA).replace(b'"half"', b"1e999"),
    "huge where text may be left out": event().replace(
        b'"data": {', b'"data": {"location": 1e999, '
    ),
    "bytes of no charset": event().replace(b'"specversion"', b'"note": "\xff", "specversion"'),
    "nothing": b"",
    "word": b"riddle",
    "broken": b'{"specversion": "1.0"',
}


@pytest.mark.parametrize("bad", BAD)
async def test_case_20_one_bad_event_leaves_its_neighbours_alone(
    intake: httpx.AsyncClient, settings: Settings, bad: str
) -> None:
    if bad == "broken":
        # An object that does not end takes in what follows it, so that the whole is refused.
        whole = b"[" + event() + b"," + BAD[bad] + b"]"
        answer = await intake.post(PATH, content=whole, headers=BATCH)
        assert answer.status_code == 422
        assert await requests_taken(settings) == 0
        return
    whole = b"[" + event() + b"," + BAD[bad] + b"," + event() + b"]"
    answer = await intake.post(PATH, content=whole, headers=BATCH)
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in answer.json()["items"]] == [202, 422, 202], answer.text
    assert await requests_taken(settings) == 2


async def test_case_20_a_byte_order_mark_is_no_fault(intake: httpx.AsyncClient) -> None:
    mark = b"\xef\xbb\xbf"
    one = await intake.post(PATH, content=mark + json.dumps(submission()).encode())
    assert one.status_code == 202, one.text
    many = await intake.post(PATH, content=mark + b"[" + event() + b"]", headers=BATCH)
    assert many.json()["items"][0]["status"] == 202
    inside = await intake.post(PATH, content=b"[" + mark + event() + b"]", headers=BATCH)
    assert inside.json()["items"][0]["status"] == 202


@pytest.mark.parametrize("bad", ["half an emoji in the data", "deep", "not a number", "huge"])
async def test_one_event_by_itself_is_refused_by_name(intake: httpx.AsyncClient, bad: str) -> None:
    for media_type in ("application/json", "application/cloudevents+json"):
        headers = {"content-type": media_type}
        answer = await intake.post(PATH, content=BAD[bad], headers=headers)
        assert answer.status_code == 422, answer.text
