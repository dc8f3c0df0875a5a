"""Other systems take the steps as messages, by the same rules, and hear what became of each."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.flow.processes import SPEAKER
from tests.flow.town import Town
from tests.support.content_modes import STRUCTURED_TYPES, Event, event, in_base64


class Bureau:
    """A system that speaks for L001 and D-CON on liaison.commands, and reads its replies."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._topic = f"{prefix}liaison.commands"
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
        self._replies = AIOKafkaConsumer(
            f"{prefix}liaison.replies", bootstrap_servers=kafka, auto_offset_reset="earliest"
        )

    async def start(self) -> None:
        await self._producer.start()
        await self._replies.start()

    async def stop(self) -> None:
        await self._producer.stop()
        await self._replies.stop()

    async def send(
        self, kind: str, matter: str, source: str = SPEAKER, key: str | None = None, **data: Any
    ) -> str:
        """Send a command; its id."""
        command_id = key or str(uuid4())
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", command_id.encode()),
            ("ce_source", source.encode()),
            ("ce_type", f"liaison.{kind}.v1".encode()),
            ("ce_subject", matter.encode()),
        ]
        value = json.dumps(data).encode()
        await self._producer.send_and_wait(self._topic, value, key=matter.encode(), headers=headers)
        return command_id

    async def send_event(self, event: Event, content_type: str) -> None:
        """Send a command as one structured event."""
        headers = [("content-type", content_type.encode())]
        value = json.dumps(event).encode()
        await self._producer.send_and_wait(self._topic, value, headers=headers)

    async def reply(self, command_id: str) -> dict[str, Any]:
        """The next reply to a command."""
        return (await self.answer(command_id))[0]

    async def answer(self, command_id: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The next reply to a command, and its headers."""
        async with asyncio.timeout(30):
            async for record in self._replies:
                found: dict[str, Any] = json.loads(record.value)
                if found["command_id"] == command_id:
                    return found, {name: value.decode() for name, value in record.headers}
        raise AssertionError("the replies ended")


@pytest.fixture
async def bureau(kafka: str, kafka_prefix: str) -> AsyncIterator[Bureau]:
    bureau = Bureau(kafka, kafka_prefix)
    await bureau.start()
    yield bureau
    await bureau.stop()


async def test_a_matter_is_carried_by_messages_alone(town: Town, bureau: Bureau) -> None:
    matter = (await town.post(town.submission())).json()["request_id"]
    offer = await town.offer_of(matter)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("offer.accept", {"offer_id": offer}),
        ("matter.contact", {"note": "已联系"}),
        ("matter.feed_back", {"text": "已派人查看"}),
        ("matter.handle", {"outcome": "resolved", "answer": "已疏通"}),
    ]
    for kind, data in steps:
        reply = await bureau.reply(await bureau.send(kind, matter, party="L001", **data))
        assert reply["status"] == 200, reply
    seen = await town.in_state(matter, "handled")
    assert reply["version"] == seen["version"]
    actors = {entry["actor"]["party"] for entry in await town.history(matter)}
    assert "L001" in actors


async def test_a_refused_command_is_answered_with_what_would_allow_it(
    town: Town, bureau: Bureau
) -> None:
    matter = (await town.post(town.submission())).json()["request_id"]
    await town.offered(matter)
    handle = {"outcome": "resolved", "answer": "x", "party": "L001"}
    early = await bureau.reply(await bureau.send("matter.handle", matter, **handle))
    assert (early["status"], early["code"]) == (409, "not_in_this_state")
    assert early["allowed_states"] == ["in_progress"]
    stranger = await bureau.send("matter.close", matter, source="https://stranger.example")
    assert (await bureau.reply(stranger))["code"] == "not_a_speaker"
    faulty = await bureau.reply(await bureau.send("matter.handle", matter, party="L001"))
    assert faulty["status"] == 422


async def test_a_command_sent_twice_is_done_once(town: Town, bureau: Bureau) -> None:
    matter = (await town.post(town.submission())).json()["request_id"]
    offer = await town.offer_of(matter)
    replies = []
    for _ in range(2):
        sent = await bureau.send("offer.accept", matter, key="once", party="L001", offer_id=offer)
        replies.append(await bureau.reply(sent))
    assert replies[0] == replies[1]
    assert replies[0]["status"] == 200


async def test_a_structured_command_is_a_step_and_its_reply_names_it(
    town: Town, bureau: Bureau
) -> None:
    matter = (await town.post(town.submission())).json()["request_id"]
    offer = await town.offer_of(matter)
    names = {"source": SPEAKER, "subject": matter, "lang": "en"}
    accept = event({"offer_id": offer, "party": "L001"}, type="liaison.offer.accept.v1", id="接-1")
    await bureau.send_event(in_base64(accept | names), STRUCTURED_TYPES[1])
    done, headers = await bureau.answer("接-1")
    assert done["status"] == 200, done
    assert headers["ce_type"] == "liaison.command.done.v1"
    assert headers["ce_causationid"] == "接-1"
    handle = event({"party": "L001"}, type="liaison.matter.handle.v1", id=str(uuid4()))
    await bureau.send_event(handle | names, STRUCTURED_TYPES[0])
    refused, headers = await bureau.answer(handle["id"])
    assert (refused["status"], refused["title"]) == (422, "The content is not valid")
    assert {fault["pointer"] for fault in refused["faults"]} >= {"/body/outcome", "/body/answer"}
    assert headers["ce_causationid"] == handle["id"]


async def test_a_command_that_is_none_is_answered_once_in_the_asker_s_language(
    town: Town, bureau: Bureau
) -> None:
    unknown = event({}, type="org.example.other", id="u-1", source=SPEAKER, lang="en")
    damaged = event({}, type="liaison.matter.close.v1", id="u-2", source=SPEAKER, specversion="2.0")
    # Two services answer: one reply is awaited before the next command is sent.
    await bureau.send_event(unknown, STRUCTURED_TYPES[2])
    told, _ = await bureau.answer("u-1")
    assert (told["code"], told["title"]) == ("unknown_command", "No such command")
    await bureau.send_event(damaged, STRUCTURED_TYPES[2])
    told, _ = await bureau.answer("u-2")
    assert (told["code"], told["title"]) == ("unreadable_command", "指令无法读取")
    assert [fault["pointer"] for fault in told["faults"]] == ["/specversion"]
