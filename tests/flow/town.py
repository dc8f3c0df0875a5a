"""What people and systems of a small town do, by public calls alone, each with a limit."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaProducer

from shared.contracts.fields import uscc
from tests.flow.processes import SPEAKER, Stack
from tests.support.described import described

CATALOGUE = (Path(__file__).parent / "catalogue.csv").read_text(encoding="utf-8")
PATIENCE_SECONDS = 30.0

numbers = itertools.count(1)


def code(number: int) -> str:
    """A valid unified social credit code."""
    body = f"91310117MA2{number:06d}"
    return body + uscc.check_character(body)


class Town:
    """L001 answers for the enterprise, L002 is the deputy, D-CON does the work, C001 and C002 coordinate."""

    enterprise = code(1)

    def __init__(self, stack: Stack, kafka: str, prefix: str) -> None:
        self._stack = stack
        self._client = httpx.AsyncClient(timeout=20, event_hooks={"response": [described]})
        self._producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
        self._prefix = prefix

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()
        await self._client.aclose()

    async def call(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """One call; tried again while the service is being started again, as a client would."""
        content: dict[str, Any] = {} if body is None else {"json": body}
        if isinstance(body, str):
            content = {"content": body.encode()}
            headers = {"content-type": "text/csv"} | headers
        all_headers = {"authorization": f"Bearer {who}", "accept-language": "en"} | headers
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    answer = await self._client.request(
                        method, self._stack.url(path), headers=all_headers, **content
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code != 503:
                    return answer
                await asyncio.sleep(0.1)

    async def get(self, who: str, path: str) -> Any:
        answer = await self.call(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """A write that must succeed; safe to send again after a crash, by its Idempotency-Key.

        A step that news on its way to a killed service will make possible is tried again, as a client would: the
        matter is not known there yet (404), or not yet in the state that allows it (409).
        """
        key = {"idempotency-key": f"key-{next(numbers)}"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        answer = await self.call(who, method, path, body, **key)
        while answer.status_code in (404, 409) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            answer = await self.call(who, method, path, body, **key)
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def settle_in(self) -> None:
        """The directory and the dispatch catalogue."""
        put = [
            ("/routing/departments/D-CON", {"name": "城市建设管理办"}),
            ("/routing/liaisons/L001", {"name": "沈一", "department_id": "D-CON", "capacity": 100}),
            ("/routing/liaisons/L002", {"name": "陆二", "department_id": "D-CON", "capacity": 100}),
            (
                f"/routing/enterprises/{self.enterprise}",
                {"name": "云杉精密", "park": "北园", "industry": "机械", "tier": "large"},
            ),
            ("/routing/ties/T1", self._tie("L001", "primary")),
            ("/routing/ties/T2", self._tie("L002", "deputy")),
        ]
        for path, body in put:
            await self.do("C001", "PUT", path, body)
        version = (await self.do("C001", "POST", "/routing/catalogue/versions", CATALOGUE))[
            "version"
        ]
        await self.do("C001", "POST", f"/routing/catalogue/versions/{version}/activate", {})

    def _tie(self, liaison: str, role: str) -> dict[str, str]:
        return {
            "uscc": self.enterprise,
            "liaison_id": liaison,
            "role": role,
            "from": "2024-01-01",
            "reason": "结对",
        }

    def submission(self, **changes: Any) -> dict[str, Any]:
        return {
            "source": "https://one-stop.example/web",
            "source_ref": f"web-{next(numbers)}",
            "channel": "web",
            "kind": "help",
            "requester": {"kind": "enterprise", "id": self.enterprise, "name": "云杉精密"},
            "summary": "园区北门道路积水",
            "detail": "雨后积水,货车无法进出。",
        } | changes

    async def post(self, submission: dict[str, Any]) -> httpx.Response:
        return await self.call("system", "POST", "/intake/requests", submission)

    async def send(self, value: bytes, partition: int = 0, **headers: str) -> None:
        """A record on liaison.submissions."""
        topic = f"{self._prefix}liaison.submissions"
        sent = [(name, text.encode()) for name, text in headers.items()]
        await self._producer.send_and_wait(topic, value, partition=partition, headers=sent)

    async def send_submission(self, submission: dict[str, Any], **headers: str) -> None:
        await self.send(json.dumps(submission).encode(), **headers)

    async def send_command(
        self, kind: str, matter_id: str, data: dict[str, Any], **headers: str
    ) -> None:
        """A command on liaison.commands, in L001's name."""
        named = {
            "ce_specversion": "1.0",
            "ce_id": f"command-{next(numbers)}",
            "ce_source": SPEAKER,
            "ce_type": f"liaison.{kind}.v1",
            "ce_subject": matter_id,
        } | headers
        await self._producer.send_and_wait(
            f"{self._prefix}liaison.commands",
            json.dumps({"party": "L001"} | data).encode(),
            key=matter_id.encode(),
            headers=[(name, text.encode()) for name, text in named.items()],
        )

    async def offer_of(self, matter_id: str, party: str = "L001") -> str:
        """The open offer of a matter in a party's queue, as soon as it is there."""
        path = f"/routing/queues/{party}"
        items = await self.until(
            lambda: self.get(party, path),
            lambda found: [item for item in found["items"] if item["matter_id"] == matter_id],
        )
        offer: str = items[0]["offer_id"]
        return offer

    async def offered(self, matter_id: str, party: str = "L001") -> str:
        """The same, once followup has recorded it too: nothing of the offer is under way any more."""
        offer = await self.offer_of(matter_id, party)
        await self.in_state(matter_id, "offered")
        return offer

    async def matter_named(self, submission: dict[str, Any]) -> str:
        """The matter of a submission that was sent over Kafka: asking again tells its id."""
        answer = await self.until(
            lambda: self.post(submission), lambda found: found if found.status_code == 200 else None
        )
        found: str = answer.json()["request_id"]
        return found

    async def in_state(self, matter_id: str, state: str) -> Any:
        path = f"/followup/matters/{matter_id}"

        async def look() -> Any:
            answer = await self.call("C001", "GET", path)
            return answer.json() if answer.status_code == 200 else {}

        return await self.until(look, lambda found: found if found.get("state") == state else None)

    @staticmethod
    async def until(look: Callable[[], Any], found: Callable[[Any], Any]) -> Any:
        """What `found` makes of what `look` sees, as soon as it is something."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if result := found(await look()):
                    return result
                await asyncio.sleep(0.05)

    async def step(self, who: str, matter_id: str, name: str, **body: Any) -> Any:
        return await self.do(who, "POST", f"/followup/matters/{matter_id}/{name}", body)

    async def history(self, matter_id: str) -> list[dict[str, Any]]:
        found = await self.get("C001", f"/followup/matters/{matter_id}/history")
        items: list[dict[str, Any]] = found["items"]
        return items
