"""A Kafka that lost everything gets it again, though the relay was in the middle of a batch when it was lost."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.jobs.topics import ensure_topics
from shared.contracts import topics
from shared.contracts.topics import TOPICS
from shared.delivery.kafka.address import KafkaAddress
from shared.delivery.outbox import relay as relay_module
from shared.delivery.outbox.recording import Outgoing, record
from shared.delivery.outbox.relay import Relay
from shared.delivery.outbox.republish import rewind
from shared.runtime.supervisor import keep
from tests.integration.delivery.town import AT, Town, amended
from tests.integration.delivery.wire import read_records, under_way, until

COUNT = 40


async def test_everything_is_sent_again(
    town: Town, kafka: str, kafka_prefix: str, monkeypatch
) -> None:
    address = KafkaAddress(kafka, kafka_prefix)
    async with town.db.transaction() as conn:
        facts = [Outgoing("a", n, amended("a", "x"), AT) for n in range(1, COUNT + 1)]
        sent = [str(event) for event in await record(conn, facts)]
    out = asyncio.Event()
    lost = asyncio.Event()
    send = Relay._send

    async def send_and_linger(
        self: Relay, producer: AIOKafkaProducer, sending: relay_module.Sending
    ) -> None:
        """All of the batch is acknowledged but one, as far as the relay has heard."""
        await send(self, producer, sending)
        out.set()
        await lost.wait()

    monkeypatch.setattr(Relay, "_send", send_and_linger)

    async def relay() -> None:
        await keep("town", "relay", Relay(town.db, address, "urn:liaison:town").run)

    async with under_way(relay):
        await asyncio.wait_for(out.wait(), 30)
        await wipe(kafka, address)
        async with town.db.reading() as conn:
            assert await rewind(conn) == 0
        lost.set()
        found = await read_records(address, [topics.REQUESTS], COUNT)
        await until(lambda: is_empty(town))
    assert [dict(item.headers)["ce_id"].decode() for item in found] == sent
    async with town.db.reading() as conn:
        assert await rewind(conn, after=COUNT - 1) == 1


async def wipe(kafka: str, address: KafkaAddress) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics([address.topic(topics.REQUESTS)])

    async def has_gone() -> bool:
        return address.topic(topics.REQUESTS) not in await admin.list_topics()

    await until(has_gone)
    await admin.close()
    await ensure_topics(KafkaAddress(kafka, address.prefix), topics=TOPICS, partitions=3)


async def is_empty(town: Town) -> bool:
    return await town.fetch("select 1 from outbox limit 1") == []
