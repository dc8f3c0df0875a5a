"""CloudEvents' own SDKs against the services: what each makes of an event is taken and answered in either mode."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import httpx
import pytest

from shared.contracts import topics
from tests.clients.sdks.conftest import Wire
from tests.clients.sdks.programs import PROGRAMS, Lacking, Message, Program
from tests.conftest import COUNTED
from tests.flow.processes import SPEAKER, Stack
from tests.flow.town import Town

pytestmark = pytest.mark.timeout(1200)

WAYS = tuple(product(("binary", "structured"), ("object", "bytes")))
SOURCE = "https://one-stop.example/hotline"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SUBMITTED, FOREIGN = "liaison.request.submitted.v1", "org.example.other.v1"
SUBJECTS = {"python": '园区 "北" 100%', "go": "园区 100%"}
"""What a header can carry: Python's SDK percent-encodes, Go sends UTF-8 as it is; the others' clients take ASCII."""

Record = Callable[[str, object], None]


def event(event_id: str, wire_type: str, data: Any, **more: str) -> dict[str, Any]:
    return {
        "id": event_id,
        "source": SOURCE,
        "type": wire_type,
        "time": "2026-03-02T09:30:00+08:00",
        "traceparent": TRACE,
        "lang": "en",
        "data": data,
    } | more


def made(program: Program, events: Sequence[dict[str, Any]], protocol: str) -> list[list[Message]]:
    """Of each event what the SDK makes of it, in the order of `WAYS`; says by name what is missing."""
    try:
        messages = program.messages(events)
    except Lacking as lacking:
        pytest.fail(str(lacking), pytrace=False)
    found = {
        (each.event, each.mode, each.form): each for each in messages if each.protocol == protocol
    }
    return [[found[(number, *way)] for way in WAYS] for number in range(len(events))]


async def post(stack: Stack, message: Message) -> httpx.Response:
    headers = [(name.encode(), value) for name, value in message.headers]
    headers = [pair for pair in headers if pair[0].lower() != b"content-length"]
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.post(
            stack.url("/intake/requests"),
            content=message.body,
            headers=[*headers, (b"authorization", b"Bearer system"), (b"accept-language", b"en")],
        )


def nameless(town: Town, **changes: str) -> dict[str, Any]:
    data = town.submission(**changes)
    del data["source"], data["source_ref"]
    return data


@pytest.mark.parametrize("language", PROGRAMS)
async def test_http(stack: Stack, town: Town, language: str, record_property: Record):
    program = PROGRAMS[language]
    subject = SUBJECTS.get(language, "north-gate")
    sent = event(
        f"{language}-http", SUBMITTED, nameless(town, summary="北门积水 é"), subject=subject
    )
    foreign = event(f"{language}-foreign", FOREIGN, town.submission())
    taken, refused = made(program, [sent, foreign], "http")
    answers = [await post(stack, message) for message in taken]
    assert [answer.status_code for answer in answers] == [202, 200, 200, 200], answers[0].text
    assert len({answer.json()["receipt"] for answer in answers}) == 1
    for message in refused:
        answer = await post(stack, message)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:liaison:problem:not_a_cloudevent"
        (error,) = answer.json()["errors"]
        assert error["pointer"] == ("/type" if message.mode == "structured" else "/header/ce-type")
    record_property(COUNTED, f"{program.sdk}: taken and refused in {len(WAYS)} ways over HTTP")


@pytest.mark.parametrize("language", PROGRAMS)
async def test_submissions_on_kafka(town: Town, wire: Wire, language: str, record_property: Record):
    program = PROGRAMS[language]
    names = [f"{language}-来电-{mode}-{form}" for mode, form in WAYS]
    sent = [event(name, SUBMITTED, nameless(town, summary=name), subject="园区") for name in names]
    sent += [event(f"{name}-foreign", FOREIGN, nameless(town)) for name in names]
    messages = made(program, sent, "kafka")
    for number in range(len(sent)):
        await wire.send(topics.SUBMISSIONS, messages[number][number % len(WAYS)])
    for name in names:
        value, headers = await wire.heard(name)
        assert headers["ce_type"] == "liaison.request.registered.v1", value
        assert (value["summary"], value["source"]) == (name, SOURCE)
        assert TRACE[3:35] in headers["traceparent"]
        value, headers = await wire.heard(f"{name}-foreign")
        assert headers["ce_type"] == "liaison.request.rejected.v1"
        assert value["faults"][0]["message"] == f"Must be {SUBMITTED}."
    record_property(COUNTED, f"{program.sdk}: submissions in {len(WAYS)} ways on Kafka")


@pytest.mark.parametrize("language", PROGRAMS)
async def test_commands_on_kafka(town: Town, wire: Wire, language: str, record_property: Record):
    program = PROGRAMS[language]
    matter = (await town.post(town.submission())).json()["request_id"]
    offer = await town.offered(matter)
    await town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})
    await town.step("L001", matter, "first-contact", note="已电话联系")
    names = [f"{language}-指令-{mode}-{form}" for mode, form in WAYS]
    asked = {"source": SPEAKER, "subject": matter}
    feed_back, handle = "liaison.matter.feed_back.v1", "liaison.matter.handle.v1"
    sent = [event(name, feed_back, {"party": "L001", "text": name}, **asked) for name in names]
    sent += [event(f"{name}-faulty", handle, {"party": "L001"}, **asked) for name in names]
    sent += [event(f"{name}-foreign", FOREIGN, {}, **asked) for name in names]
    messages = made(program, sent, "kafka")
    for number in range(len(sent)):
        await wire.send(topics.COMMANDS, messages[number][number % len(WAYS)])
    for name in names:
        value, headers = await wire.heard(name)
        assert (headers["ce_type"], headers["ce_causationid"]) == ("liaison.command.done.v1", name)
        value, headers = await wire.heard(f"{name}-faulty")
        assert {fault["pointer"] for fault in value["faults"]} >= {"/body/outcome"}
        assert value["title"] == "The content is not valid"
        value, headers = await wire.heard(f"{name}-foreign")
        assert (value["code"], value["title"]) == ("unknown_command", "No such command")
    told = [entry["data"].get("text") for entry in await town.history(matter)]
    assert sorted(text for text in told if text in names) == sorted(names)
    record_property(COUNTED, f"{program.sdk}: commands in {len(WAYS)} ways on Kafka")
