"""Receipts: what their holders see of followup's news, and the steps that are theirs."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.intake.handlers.progress import follow_matters
from shared.contracts.events.assignments import PartyRef
from shared.contracts.events.event import Actor
from shared.contracts.events.matters import MatterChanged, MatterFedBack, MatterHandled, MatterTaken
from shared.contracts.vocabulary import MatterState, Outcome, PartyKind, Path, Role
from shared.delivery.cloudevents import Message, Raw
from tests.integration.intake.samples import submission

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
seconds = itertools.count()
LIAISON = PartyRef(id="L001", kind=PartyKind.LIAISON, name="沈一")


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    yield connection
    await connection.close()


class Taken:
    """A request that was taken, and the news of it that followup sends."""

    def __init__(self, client: httpx.AsyncClient, conn: asyncpg.Connection, taken: Any) -> None:
        self.client = client
        self.conn = conn
        self.id = taken["request_id"]
        self.url = taken["status_url"]
        self.version = 0

    def news(
        self, event_type: type[MatterChanged], state: MatterState, round_: int = 1, **data: Any
    ) -> Message:
        self.version += 1
        event = event_type(
            matter_id=self.id,
            actor=Actor(role=Role.LIAISON, party="L001"),
            state=state,
            round=round_,
            next_due_at=NOW,
            **data,
        )
        raw = Raw("liaison.matters", 0, self.version, None, event.model_dump_json().encode())
        at = NOW + timedelta(seconds=next(seconds))
        return Message(uuid4(), "urn:liaison:followup", self.id, self.version, event, at, raw=raw)

    async def handled(self) -> None:
        """News of a whole handling, in one batch."""
        await follow_matters(
            self.conn,
            [
                self.news(MatterTaken, MatterState.IN_PROGRESS, offer_id="o", owner=LIAISON),
                self.news(MatterFedBack, MatterState.IN_PROGRESS, text="已到现场查看"),
                self.news(
                    MatterHandled,
                    MatterState.HANDLED,
                    outcome=Outcome.RESOLVED,
                    answer="排水管已疏通",
                    path=Path.INSTANT,
                    on_time=True,
                ),
            ],
        )

    async def post(self, step: str, **body: Any) -> httpx.Response:
        return await self.client.post(
            f"{self.url}/{step}", json=body, headers={"authorization": ""}
        )


@pytest.fixture
async def taken(intake: httpx.AsyncClient, conn: asyncpg.Connection) -> Taken:
    answer = await intake.post("/intake/requests", json=submission())
    return Taken(intake, conn, answer.json())


async def test_the_holder_sees_owner_timeline_and_answer(taken: Taken) -> None:
    await taken.handled()
    status = (await taken.client.get(taken.url, headers={"authorization": ""})).json()
    assert (status["state"], status["owner"], status["answer"]) == (
        "handled",
        "沈一",
        "排水管已疏通",
    )
    assert [entry["type"] for entry in status["timeline"]] == [
        "request.registered",
        "matter.taken",
        "matter.fed_back",
        "matter.handled",
    ]


async def test_a_receipt_is_found_as_people_type_it(taken: Taken) -> None:
    typed = taken.url.lower().replace("-", "").replace("intake/receipts", "intake/receipts")
    assert (await taken.client.get(typed)).json()["request_id"] == taken.id


async def test_a_guess_finds_nothing(taken: Taken) -> None:
    for guess in ("AAAAAA-BBBBBB-CCCCCC-DDDDDD", "x", "%00", "一" * 100):
        assert (await taken.client.get(f"/intake/receipts/{guess}")).status_code == 404


async def test_the_return_visit_is_answered_once_the_work_is_done(taken: Taken) -> None:
    early = await taken.post("answer", solved=True, satisfaction=5)
    assert early.status_code == 409
    assert early.json()["allowed_states"] == ["handled"]
    await taken.handled()
    done = await taken.post("answer", solved=True, satisfaction=5, words="很快")
    assert done.status_code == 202
    row = await taken.conn.fetchrow(
        "select version, type, data->>'words' as words from event where subject = $1 and version = 2",
        taken.id,
    )
    assert row is not None
    assert (row["type"], row["words"]) == ("liaison.return_visit.answered.v1", "很快")


@pytest.mark.parametrize("satisfaction", [0, 6, "much", None])
async def test_satisfaction_is_one_to_five(taken: Taken, satisfaction: Any) -> None:
    await taken.handled()
    answer = await taken.post("answer", solved=True, satisfaction=satisfaction)
    assert answer.status_code == 422


async def test_facts_and_withdrawal_are_events_in_order(taken: Taken) -> None:
    assert (await taken.post("messages", message="又下雨了")).status_code == 202
    assert (await taken.post("withdraw", reason="已自行解决")).status_code == 202
    rows = await taken.conn.fetch(
        "select version, type from event where subject = $1 order by version", taken.id
    )
    assert [tuple(row) for row in rows] == [
        (1, "liaison.request.registered.v1"),
        (2, "liaison.request.amended.v1"),
        (3, "liaison.request.withdrawn.v1"),
    ]


async def test_a_step_sent_again_under_its_key_is_taken_once(taken: Taken) -> None:
    async def send(path: str, key: str, body: dict[str, str]) -> httpx.Response:
        headers = {"idempotency-key": key}
        return await taken.client.post(f"{taken.url}/{path}", json=body, headers=headers)

    first = await send("messages", "k1", {"message": "又下雨了"})
    again = await send("messages", "k1", {"message": "又下雨了"})
    other = await send("messages", "k1", {"message": "另一件事"})
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert again.json() == first.json()
    assert (await send("withdraw", "k2", {"reason": "已解决"})).status_code == 202
    assert (await send("withdraw", "k2", {"reason": "已解决"})).status_code == 202
    types = await taken.conn.fetch("select type from event where subject = $1", taken.id)
    assert len(types) == 3


async def test_the_whole_request_is_shown_to_its_owner_alone(taken: Taken) -> None:
    await taken.handled()
    path = f"/intake/requests/{taken.id}"
    owner = await taken.client.get(path, headers={"authorization": "Bearer liaison"})
    assert owner.json()["requester"]["contact"]["phone"] == "000-5550-0101"
