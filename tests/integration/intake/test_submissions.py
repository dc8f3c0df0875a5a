"""Submissions over HTTP: taken once, answered alike, refused in words that help."""

import asyncio
import re
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.intake.samples import cloudevent, submission

BATCH = {"content-type": "application/cloudevents-batch+json"}


async def test_a_submission_is_taken_with_a_receipt(intake: httpx.AsyncClient) -> None:
    answer = await intake.post("/intake/requests", json=submission())
    assert answer.status_code == 202
    taken = answer.json()
    status = await intake.get(taken["status_url"])
    assert status.json()["request_id"] == taken["request_id"]
    assert status.json()["state"] == "received"
    assert "000-5550-0101" not in status.text


async def test_the_same_again_gets_the_first_answer_and_another_content_a_conflict(
    intake: httpx.AsyncClient,
) -> None:
    sent = submission()
    first = await intake.post("/intake/requests", json=sent)
    again = await intake.post("/intake/requests", json=dict(reversed(sent.items())))
    changed = await intake.post("/intake/requests", json=sent | {"summary": "另一件事"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert changed.status_code == 409
    assert changed.headers["content-type"] == "application/problem+json"
    assert changed.json()["type"] == "urn:liaison:problem:another_content"
    assert changed.json()["request_id"] == first.json()["request_id"]


async def test_many_at_once_are_each_taken_once(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    sent = [submission() for _ in range(40)]
    answers = await asyncio.gather(
        *(intake.post("/intake/requests", json=item) for item in sent * 3)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 80 + [202] * 40
    assert len({answer.json()["receipt"] for answer in answers}) == 40
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from intake.event") == 40
    await connection.close()


@pytest.mark.parametrize("given", [None, "no trace", "x" * 300])
async def test_a_request_without_a_trace_begins_one(
    intake: httpx.AsyncClient, database_url: str, given: str | None
) -> None:
    headers = {} if given is None else {"traceparent": given}
    taken = await intake.post("/intake/requests", json=submission(), headers=headers)
    assert taken.status_code == 202
    trace = await trace_recorded(database_url, taken.json()["request_id"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace)


async def test_a_request_goes_on_with_its_senders_trace(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"traceparent": given}
    taken = await intake.post("/intake/requests", json=submission(), headers=headers)
    assert await trace_recorded(database_url, taken.json()["request_id"]) == given


async def trace_recorded(url: str, request_id: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        found: str = await connection.fetchval(
            "select traceparent from intake.event where subject = $1", request_id
        )
    finally:
        await connection.close()
    return found


def broken(path: str, value: Any) -> dict[str, Any]:
    sent = submission()
    place, _, name = path.rpartition("/")
    target = sent[place] if place else sent
    target[name] = value
    return sent


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("requester/id", "91310117MA1000001X", "uscc"),
        ("summary", "字" * 201, "string_too_long"),
        ("summary", "   ", "string_too_short"),
        ("detail", "字" * 10_001, "string_too_long"),
        ("detail", "空\x00字节", "string_pattern_mismatch"),
        ("channel", "pigeon", "enum"),
        ("colour", "red", "extra_forbidden"),
        ("occurred_at", "2026-03-02T09:30:00", "timezone_aware"),
        ("source", "no uri", "string_pattern_mismatch"),
        ("requester", None, "model_type"),
    ],
)
async def test_what_does_not_fit_is_named_with_its_place(
    intake: httpx.AsyncClient, path: str, value: Any, code: str
) -> None:
    answer = await intake.post("/intake/requests", json=broken(path, value))
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert code in {error["code"] for error in errors}
    assert all(error["detail"] and error["pointer"].startswith("/") for error in errors)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"source": 1e999}'])
async def test_bytes_that_are_no_submission_are_refused(
    intake: httpx.AsyncClient, body: bytes
) -> None:
    answer = await intake.post("/intake/requests", content=body)
    assert answer.status_code == 422


async def test_who_may_send(intake: httpx.AsyncClient) -> None:
    nobody = await intake.post("/intake/requests", json=submission(), headers={"authorization": ""})
    stranger = await intake.post(
        "/intake/requests", json=submission(), headers={"authorization": "Bearer guess"}
    )
    operator = await intake.post(
        "/intake/requests", json=submission(), headers={"authorization": "Bearer operator"}
    )
    assert [nobody.status_code, stranger.status_code, operator.status_code] == [401, 401, 403]


async def test_a_cloudevent_may_name_its_submission(intake: httpx.AsyncClient) -> None:
    sent = submission()
    del sent["source"], sent["source_ref"]
    event = cloudevent(sent)
    first, again = [
        await intake.post(
            "/intake/requests", json=event, headers={"content-type": "application/cloudevents+json"}
        )
        for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (202, 200)


@pytest.mark.parametrize("path", ["/intake/requests/batch", "/intake/requests"])
async def test_a_batch_has_a_result_for_each(intake: httpx.AsyncClient, path: str) -> None:
    good = submission()
    events = [
        cloudevent(good),
        cloudevent(good),
        cloudevent(good | {"summary": "另一件事"}),
        cloudevent(submission(kind="riddle")),
        cloudevent(submission(), type="something.else"),
    ]
    answer = await intake.post(path, json=events, headers=BATCH)
    assert answer.status_code == 200
    assert [item["status"] for item in answer.json()["items"]] == [202, 200, 409, 422, 422]


async def test_a_batch_of_plain_submissions_has_a_result_for_each(
    intake: httpx.AsyncClient,
) -> None:
    good = submission()
    items = [good, good, good | {"summary": "另一件事"}, submission(kind="riddle"), "none"]
    answer = await intake.post("/intake/requests/batch", json=items)
    assert answer.status_code == 200
    assert [item["status"] for item in answer.json()["items"]] == [202, 200, 409, 422, 422]
    assert [item.get("receipt") for item in answer.json()["items"]].count(None) == 3
    # An event is no plain submission: its envelope would be lost.
    event = await intake.post("/intake/requests/batch", json=[cloudevent(submission())])
    assert [item["status"] for item in event.json()["items"]] == [422]
    one = await intake.post("/intake/requests/batch", json=good)
    assert (one.status_code, one.json()["errors"][0]["pointer"]) == (422, "/")


async def test_a_batch_has_a_limit(intake: httpx.AsyncClient) -> None:
    answer = await intake.post("/intake/requests", json=[{}] * 1001, headers=BATCH)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:liaison:problem:batch_too_long"


async def test_a_body_has_a_limit(intake: httpx.AsyncClient) -> None:
    declared = await intake.post("/intake/requests", content=b" " * (8 * 1024 * 1024 + 1))

    async def undeclared():
        for _ in range(9):
            yield b" " * (1024 * 1024)

    streamed = await intake.post("/intake/requests", content=undeclared())
    assert (declared.status_code, streamed.status_code) == (413, 413)


async def test_the_contact_is_for_those_who_have_it_in_hand(intake: httpx.AsyncClient) -> None:
    taken = (await intake.post("/intake/requests", json=submission())).json()
    path = f"/intake/requests/{taken['request_id']}"
    coordinator = await intake.get(path, headers={"authorization": "Bearer coordinator"})
    other = await intake.get(path, headers={"authorization": "Bearer liaison"})
    assert coordinator.json()["requester"]["contact"]["phone"] == "000-5550-0101"
    assert other.status_code == 404
