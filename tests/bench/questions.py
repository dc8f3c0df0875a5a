"""What people wait for, asked over HTTP again and again: queues, lists, searches, the wall chart and single matters."""

import hashlib
import json
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.bench.ground import Place, Service
from tests.bench.town import Town

WARMING = 20
KNOWN = 100
MATTERS = "/followup/matters"
FAR = "2999-01-01T00:00:00Z"
BOUNDS = """
select (select id from intake.request order by id limit 1) as first,
       (select id from intake.request order by id desc limit 1) as last"""
KNOWN_REQUEST = """
select id, receipt, requester_id, requester_name, summary from intake.request
where id <= $1 order by id desc limit 1"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service, by whom, and what differs from one time to the next."""

    name: str
    service: str
    path: str
    params: Mapping[str, str | int]
    who: str = "C001"


@dataclass(frozen=True, slots=True)
class Asked:
    """How long the answers to one question took, in milliseconds."""

    p50_ms: float
    p99_ms: float
    worst_ms: float


def write_tokens(file: Path, town: Town) -> None:
    """A coordinator, every liaison and every department; each one's token is its name."""
    parties = [("coordinator", "C001")]
    parties += [("liaison", entry[0]) for entry in town.staff()]
    parties += [("department", key) for key, _, _ in town.departments]
    entries = [
        {"sha256": hashlib.sha256(name.encode()).hexdigest(), "role": role, "party": name}
        for role, name in parties
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(entries))


async def known_requests(place: Place) -> list[Any]:
    """Some requests of every age, to ask for."""
    conn = await asyncpg.connect(place.url)
    chance = random.Random(1)  # noqa: S311 - reproducible
    try:
        first, last = await conn.fetchrow(BOUNDS)
        ages = [UUID(int=chance.randint(first.int, last.int)) for _ in range(KNOWN)]
        return [await conn.fetchrow(KNOWN_REQUEST, at) for at in ages]
    finally:
        await conn.close()


def questions(town: Town, known: list[Any], number: int) -> Iterator[Question]:
    """Every question once; `number` tells which party, firm and matter it is about this time."""
    staff, firms, desks = town.staff(), town.firms, town.departments
    liaison = staff[number * 7 % len(staff)][0]
    desk = desks[number % len(desks)][0]
    firm = firms[number * 13 % len(firms)]
    one = known[number % len(known)]
    for name, service, path in (
        ("queue", "routing", f"/routing/queues/{liaison}"),
        ("why it went there", "routing", f"/routing/requests/{one['id']}/explanation"),
        ("receipt", "intake", f"/intake/receipts/{one['receipt']}"),
        ("one matter", "followup", f"{MATTERS}/{one['id']}"),
        ("its history", "followup", f"{MATTERS}/{one['id']}/history"),
    ):
        yield Question(name, service, path, {})
    yield Question("what one holds", "routing", f"/routing/queues/{liaison}", {"state": "accepted"})
    yield from _lists(desk, firm, one)
    words = one["summary"][:2]
    yield Question("a liaison's", "followup", MATTERS, {"state": "in_progress"}, liaison)
    yield Question("a liaison's search", "followup", MATTERS, {"q": words}, liaison)
    yield Question("a liaison's promises", "followup", MATTERS, {"due_before": FAR}, liaison)
    for name, who, params in (
        ("wall chart", "C001", {}),
        ("wall chart of a park", "C001", {"park": firm[2]}),
        ("wall chart of a department", desk, {"department": desk}),
        ("wall chart of a liaison", liaison, {}),
    ):
        yield Question(name, "followup", "/followup/wall-chart", params, who)


def _lists(desk: str, firm: tuple[str, str, str, str, str], one: Any) -> Iterator[Question]:
    words = one["summary"].split(" ")[0]
    for name, params in (
        ("newest", {}),
        ("closed", {"state": "closed"}),
        ("withdrawn", {"state": "withdrawn"}),
        ("a firm's", {"uscc": firm[0]}),
        ("a department's in a park", {"department": desk, "park": firm[2]}),
        ("a department's withdrawn", {"department": desk, "state": "withdrawn"}),
        ("search, a summary", {"q": words[:20]}),
        ("search, a word of many", {"q": words[:2]}),
        ("search, a firm's name", {"q": one["requester_name"]}),
        ("search, a word of none", {"q": "没有这样的词"}),
        ("overdue", {"overdue": "true"}),
        ("due in a park", {"due_before": FAR, "park": firm[2]}),
    ):
        yield Question(name, "followup", MATTERS, params)


async def ask_all(
    place: Place, town: Town, running: Mapping[str, Service], times: int
) -> dict[str, Asked]:
    """Each question `times` times, one at a time, in turn with the others."""
    known = await known_requests(place)
    took: dict[str, list[float]] = {}
    async with httpx.AsyncClient(timeout=30) as client:
        for number in range(-WARMING, times):
            for question in questions(town, known, number):
                begun = time.perf_counter()
                answer = await client.get(
                    running[question.service].address + question.path,
                    params=dict(question.params),
                    headers={"authorization": f"Bearer {question.who}"},
                )
                spent = 1000 * (time.perf_counter() - begun)
                answer.raise_for_status()
                if number >= 0:
                    took.setdefault(question.name, []).append(spent)
    return {name: _asked(each) for name, each in took.items()}


def _asked(took: list[float]) -> Asked:
    cuts = statistics.quantiles(took, n=100)
    return Asked(round(cuts[49], 2), round(cuts[98], 2), round(max(took), 2))
