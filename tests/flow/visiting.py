"""Calls the doors of a town with its own things, each call under a key of its own."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import httpx

from tests.flow.doors import DOORS, REQUESTS_FILE, Whose, filled, of
from tests.flow.processes import Stack
from tests.flow.town import Town, code
from tests.support.described import described

AT_ONCE = 48
SECOND_ENTERPRISE = code(2)

numbers = itertools.count(1)


class Visitor:
    """Whoever tries a door; `None` comes without a token."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self._stack = stack
        self._client = client
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def tries(
        self, who: str | None, name: str, things: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The status of one call, and the problem document where it is one."""
        door, (method, path) = DOORS[name], name.split(" ")
        headers = {"idempotency-key": f"door-{next(numbers)}"}
        if who is not None:
            headers["authorization"] = f"Bearer {who}"
        content: dict[str, Any] = {} if door.body is None else {"json": filled(door.body, things)}
        if isinstance(door.body, str):
            content, headers["content-type"] = {"content": door.body.encode()}, "text/csv"
        url = self._stack.url(path.format(**things)) + door.query
        async with (
            self._gate,
            self._client.stream(method, url, headers=headers, **content) as answer,
        ):
            if "problem" not in answer.headers.get("content-type", ""):
                # A stream that is let in would go on for ever.
                if not door.lasting:
                    await answer.aread()
                return answer.status_code, {}
            await answer.aread()
            return answer.status_code, answer.json()


def visiting() -> httpx.AsyncClient:
    """A client whose every answer is held to the description."""
    return httpx.AsyncClient(timeout=30, event_hooks={"response": [described]})


async def neighbours(town: Town) -> None:
    """L003 answers for a second enterprise; D-FIN is a department with no part in anything."""
    put = [
        ("/routing/departments/D-FIN", {"name": "财政所"}),
        ("/routing/liaisons/L003", {"name": "何三", "department_id": "D-FIN", "capacity": 100}),
        (f"/routing/enterprises/{SECOND_ENTERPRISE}", {"name": "临江包装", "tier": "general"}),
        (
            "/routing/ties/T3",
            {"uscc": SECOND_ENTERPRISE, "liaison_id": "L003", "from": "2024-01-01"},
        ),
    ]
    for path, body in put:
        await town.do("C001", "PUT", path, body)


async def taken_by(town: Town, liaison: str, **changes: Any) -> dict[str, str]:
    """A request that the liaison has accepted: its matter, receipt and offer."""
    taken = (await town.post(town.submission(**changes))).json()
    offer = await town.offer_of(taken["request_id"], liaison)
    await town.do(liaison, "POST", f"/routing/offers/{offer}/accept", {})
    await town.in_state(taken["request_id"], "in_progress")
    return {"matter_id": taken["request_id"], "receipt": taken["receipt"], "offer_id": offer}


async def charted_by(town: Town, liaison: str, **changes: Any) -> dict[str, str]:
    """The same, contacted, with a milestone and a task of D-CON."""
    things = await taken_by(town, liaison, **changes)
    matter = things["matter_id"]
    for name in ("first-contact", "plan", "tasks"):
        body = DOORS[f"POST /followup/matters/{{matter_id}}/{name}"].body
        seen = await town.step(liaison, matter, name, **body)
    return things | {
        "request_id": matter,
        "milestone_id": seen["milestones"][0]["id"],
        "task_id": seen["tasks"][0]["id"],
    }


async def everything(town: Town) -> dict[str, str]:
    """The things of L001 and of the one system, by the names that the paths have for them."""
    things = await charted_by(town, "L001")
    offered = (await town.post(town.submission())).json()["request_id"]
    objected = (await town.post(town.submission())).json()["request_id"]
    declined = await town.do(
        "L001",
        "POST",
        f"/routing/offers/{await town.offer_of(objected)}/decline",
        {"reason_code": "not_ours", "suggested_owner": "L002"},
    )
    entered = await town.do(
        "system", "POST", "/intake/imports?source=https://one-stop.example/files", REQUESTS_FILE
    )
    return things | {
        "other_matter": offered,
        "offered_matter": offered,
        "offer_id": await town.offered(offered),
        "objection_id": declined["objection"]["objection_id"],
        "import_id": entered["import_id"],
        "version": "1",
        "department_id": "D-CON",
        "uscc": town.enterprise,
        "liaison_id": "L001",
        "absence_id": "A1",
        "tie_id": "T1",
        "party": "L001",
    }


async def versions(town: Town, matters: list[str]) -> list[int]:
    """How many changes followup has recorded of each."""
    return [len(await town.history(matter)) for matter in matters]


CONCERNING = [
    name for whose in (Whose.MATTER, Whose.OFFER, Whose.PARTY, Whose.FILE) for name in of(whose)
]
