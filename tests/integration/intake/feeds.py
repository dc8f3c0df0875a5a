"""Feeds in tests: what a system reads, and the news that come into it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from shared.contracts.events.event import Actor
from shared.contracts.events.matters import (
    MatterFedBack,
    MatterOpened,
)
from shared.contracts.events.requests import RequesterRef
from shared.contracts.vocabulary import Channel, Kind, MatterState, Role, Urgency
from shared.delivery.cloudevents import Message
from tests.integration.intake.samples import submission
from tests.integration.intake.test_kafka import until
from tests.integration.intake.test_receipts import Taken

S = MatterState
HOTLINE = "https://one-stop.example/hotline"
VISITS = "https://park.example/visits"
Events = list[dict[str, Any]]


async def page(intake: httpx.AsyncClient, who: str = "system", **query: Any) -> Any:
    headers = {"authorization": f"Bearer {who}"}
    answer = await intake.get("/intake/feed", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def feed(intake: httpx.AsyncClient, count: int, who: str = "system", **query: Any) -> Events:
    """The items of a feed as soon as there are so many, read page by page."""

    async def read() -> Events | None:
        found, cursor = [], query.get("cursor")
        while True:
            part = await page(intake, who, **({"cursor": cursor} if cursor else {}), limit=3)
            if not part["items"]:
                assert part["next"] == cursor or cursor is None
                break
            found += part["items"]
            cursor = part["next"]
        return found if len(found) >= count else None

    return await until(read)


async def submit(
    intake: httpx.AsyncClient, conn: asyncpg.Connection, who: str = "system", **changes: Any
) -> tuple[Taken, dict[str, Any]]:
    headers = {"authorization": f"Bearer {who}"}
    answer = await intake.post("/intake/requests", json=submission(**changes), headers=headers)
    assert answer.status_code == 202, answer.text
    return Taken(intake, conn, answer.json()), answer.json()


def news(of: Taken, kind: Any, state: MatterState, /, **data: Any) -> Message:
    """News of now: a feed passes over what is older than it keeps."""
    return replace(of.news(kind, state, **data), time=datetime.now(UTC))


def opened(of: Taken) -> Message:
    return news(
        of, MatterOpened, S.RECEIVED, request_id=of.id, channel=Channel.WEB, kind=Kind.HELP,
        requester=RequesterRef(kind="enterprise", id="x", name="云杉精密"), summary="积水",
        urgency=Urgency.NORMAL, received_at=datetime.now(UTC),
    )  # fmt: skip


def fed_back(of: Taken, text: str) -> Message:
    return news(of, MatterFedBack, S.IN_PROGRESS, text=text)


def by_holder(message: Message, request_id: str) -> Message:
    """The same, as something that the holder of a request said."""
    actor = Actor(role=Role.REQUESTER, party=request_id)
    event = message.event.model_copy(update={"actor": actor})
    raw = replace(message.raw, value=event.model_dump_json().encode())
    return replace(message, event=event, raw=raw)


def names(found: Events) -> list[tuple[str, str]]:
    return [
        (event["subject"], event["type"].split(".", 1)[1].removesuffix(".v1")) for event in found
    ]
