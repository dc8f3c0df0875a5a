"""CloudEvents over HTTP as senders deliver them: each mode, whole or damaged, and the webhook's handshake."""

import json
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.settings import Settings
from tests.integration.intake.running import intake_with
from tests.integration.intake.samples import submission
from tests.support.content_modes import STRUCTURED_TYPES, event, http_headers, in_base64

PATH = "/intake/requests"
BATCH = {"content-type": "application/cloudevents-batch+json; charset=UTF-8"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HOP = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"


def ways(sent: dict[str, Any]) -> dict[str, tuple[dict[str, str], Any]]:
    return {
        "binary": (http_headers(sent), sent["data"]),
        "base64": ({"content-type": STRUCTURED_TYPES[0]}, in_base64(sent)),
        "structured, as plain JSON": ({"content-type": "application/json"}, sent),
        "structured, without a type": ({}, in_base64(sent)),
        **{each: ({"content-type": each}, sent) for each in STRUCTURED_TYPES},
    }


async def deliver(
    intake: httpx.AsyncClient, way: tuple[dict[str, str], Any], **more: str
) -> httpx.Response:
    headers, body = way
    content = json.dumps(body, ensure_ascii=False).encode()
    return await intake.post(PATH, content=content, headers=headers | more)


async def test_an_event_is_one_request_in_whichever_mode_it_comes(intake: httpx.AsyncClient):
    data = submission()
    del data["source"], data["source_ref"]
    sent = event(data, id='来电 7 "%41"', subject="园区", time="2026-03-02T09:30:00Z")
    answers = [await deliver(intake, way) for way in ways(sent).values()]
    assert [each.status_code for each in answers] == [202] + [200] * (len(answers) - 1)
    assert len({each.json()["receipt"] for each in answers}) == 1
    plain = data | {"source": sent["source"], "source_ref": sent["id"]}
    assert (await intake.post(PATH, json=plain)).json() == answers[0].json()


async def test_a_foreign_event_is_refused_though_its_data_is_a_submission(
    intake: httpx.AsyncClient,
):
    sent = event(submission(), type="org.example.other")
    for name, way in ways(sent).items():
        answer = await deliver(intake, way)
        assert answer.status_code == 422, name
        assert answer.json()["type"] == "urn:liaison:problem:not_a_cloudevent"
        pointer = "/header/ce-type" if name == "binary" else "/type"
        assert answer.json()["errors"] == [
            {
                "pointer": pointer,
                "code": "unknown_type",
                "detail": "Must be liaison.request.submitted.v1.",
            }
        ]
    batch = await intake.post(PATH, json=[sent, event(submission())], headers=BATCH)
    assert [item["status"] for item in batch.json()["items"]] == [422, 202]
    assert batch.json()["items"][0]["errors"][0]["pointer"] == "/type"
    listed = await intake.post(f"{PATH}/batch", json=[submission()], headers=http_headers(sent))
    assert (listed.status_code, listed.json()["errors"][0]["pointer"]) == (422, "/")


async def test_items_of_a_batch_may_be_base64_and_begin_traces_of_their_own(
    intake: httpx.AsyncClient, database_url: str
):
    other = TRACE.replace("4bf9", "5bf9")
    events = [
        in_base64(event(submission(), traceparent=TRACE)),
        event(submission(), traceparent=other),
        in_base64(event(submission())) | {"data_base64": "e"},
    ]
    answer = await intake.post(f"{PATH}/batch", json=events, headers=BATCH)
    items = answer.json()["items"]
    assert [item["status"] for item in items] == [202, 202, 422]
    assert items[2]["errors"][0]["pointer"] == "/data_base64"
    assert [await trace_of(database_url, item["request_id"]) for item in items[:2]] == [
        TRACE,
        other,
    ]


async def trace_of(database_url: str, request_id: str) -> Any:
    conn = await asyncpg.connect(database_url)
    try:
        return await conn.fetchval(
            "select traceparent from intake.event where subject = $1 and version = 1", request_id
        )
    finally:
        await conn.close()


@pytest.mark.parametrize(("header", "expected"), [({}, TRACE), ({"traceparent": HOP}, HOP)])
async def test_what_follows_goes_on_with_the_event_s_trace_or_the_last_hop_s(
    intake: httpx.AsyncClient, database_url: str, header: dict[str, str], expected: str
):
    for way in ("binary", "base64", STRUCTURED_TYPES[1]):
        sent = event(submission(), traceparent=TRACE)
        answer = await deliver(intake, ways(sent)[way], **header)
        assert answer.status_code == 202
        assert await trace_of(database_url, answer.json()["request_id"]) == expected


async def test_attributes_are_part_of_what_an_idempotency_key_stands_for(
    intake: httpx.AsyncClient,
):
    data = submission()
    del data["source"], data["source_ref"]
    way = {each: ways(event(data, id=each))["binary"] for each in ("a", "b")}
    key = {"idempotency-key": "one"}
    first = await deliver(intake, way["a"], **key)
    again = await deliver(intake, way["a"], **key, **{"ce-traceparent": HOP})
    other = await deliver(intake, way["b"], **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert other.status_code == 422
    assert other.json()["type"] == "urn:liaison:problem:idempotency_key_reused"


async def test_a_broker_that_takes_no_content_gets_none_and_its_request_is_there(
    settings: Settings,
):
    way = ways(event(submission()))["binary"]
    for key in ({}, {"idempotency-key": "one"}):
        async with intake_with(settings, authorization="Bearer system") as intake:
            intake.event_hooks["response"].clear()
            answers = [await deliver(intake, way, prefer="reply", **key) for _ in range(2)]
            assert {answer.status_code for answer in answers} <= {200, 202}
            assert [answer.content for answer in answers] == [b"", b""]
            assert (await deliver(intake, way)).json()["receipt"]
            refused = await deliver(intake, (way[0] | {"ce-type": "x"}, {}), prefer="reply")
            assert refused.status_code == 422
            assert refused.json()["errors"]


async def test_a_format_that_is_not_read_is_named(intake: httpx.AsyncClient):
    for format_ in ("avro", "protobuf", "xml", "json-seq"):
        headers = {"content-type": f"application/cloudevents+{format_}"}
        answer = await intake.post(PATH, content=b"{}", headers=headers)
        assert answer.status_code == 415
        assert "application/cloudevents+json" in answer.headers["accept"]


async def test_a_binary_event_without_a_content_type_is_json(intake: httpx.AsyncClient):
    headers = http_headers(event({}))
    del headers["content-type"]
    answer = await deliver(intake, (headers, submission()))
    assert answer.status_code == 202


async def test_the_handshake_of_a_webhook_is_granted_where_events_are_read(settings: Settings):
    asked = {"webhook-request-origin": "events.example", "webhook-request-rate": "120"}
    for limit, rate in ((None, "*"), (600, "600")):
        changed = settings.model_copy(update={"requests_per_minute": limit})
        async with intake_with(changed) as client:
            for path in (PATH, f"{PATH}/batch"):
                answer = await client.options(path, headers=asked)
                assert answer.status_code == 200
                assert answer.headers["webhook-allowed-origin"] == "events.example"
                assert answer.headers["webhook-allowed-rate"] == rate
                assert {"OPTIONS", "POST"} <= set(answer.headers["allow"].split(", "))
            for path, headers in ((PATH, {}), ("/intake/imports", asked)):
                answer = await client.options(path, headers=headers)
                assert answer.status_code == 204
                assert "webhook-allowed-origin" not in answer.headers
