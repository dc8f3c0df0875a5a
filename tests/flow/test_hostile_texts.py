"""Every text and date of every route with what no database and no calendar holds: refused, and never a fault."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from shared.http.streams.tickets import PARAMETER
from tests.conftest import COUNTED
from tests.flow.doors import DOORS, filled
from tests.flow.processes import PARTIES, Stack
from tests.flow.test_doors import OPERATIONS
from tests.flow.town import Town
from tests.flow.visiting import everything
from tests.support.described import document

TEXTS: Final = (
    "a\0b",
    "\ud83d",
    "\u202e",
    "",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01",
    "x" * 70_000,
)
NUMBERS: Final = (1699491600, 1e300, -(10**30), True)
IN_ADDRESS: Final = (
    "a%00b",
    "%00",
    "%ED%A0%BD",
    "%FF",
    "9999-12-31",
    "0001-01-01T00:00:00Z",
    "1e300",
    "%E2%80%AE",
)
AT_ONCE: Final = 24


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a body there is a value, and one place for a field that nobody knows."""
    items = (
        body.items()
        if isinstance(body, dict)
        else enumerate(body)
        if isinstance(body, list)
        else ()
    )
    for key, value in items:
        yield from leaves(value, (*path, key))
    if not isinstance(body, dict | list):
        yield path


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = deepcopy(body)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


def calls(name: str, things: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Addresses and bodies of one operation, each with one hostile value."""
    path, door = name.split(" ")[1], DOORS[name]
    url = path.format(**things) + door.query
    if door.body is not None and not isinstance(door.body, str):
        body = filled(door.body, things)
        for place in leaves(body):
            for value in (*TEXTS, *NUMBERS):
                yield url, json.dumps(changed(body, place, value))
    operation = document()["paths"][path][name.split(" ")[0].lower()]
    for parameter in operation.get("parameters", ()):
        for value in IN_ADDRESS:
            if parameter["in"] == "query":
                joint = "&" if "?" in url else "?"
                yield f"{url}{joint}{quote(parameter['name'])}={value}", None
            elif parameter["in"] == "path":
                yield path.format(**{**things, parameter["name"]: value}) + door.query, None


def caller(roles: frozenset[str]) -> str:
    """Somebody of one of these roles; who asks for nothing of them is a system."""
    return next((party for party, (role, *_) in PARTIES.items() if role in roles), "system")


class Calls:
    """Makes calls, some at once, and counts what they are answered."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, things: Mapping[str, str]) -> None:
        self._stack, self._client, self._things = stack, client, things
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []
        self.unknown: list[str] = []
        """Addresses that were answered 401."""

    async def make(self, name: str, who: str, url: str, body: str | None) -> None:
        headers = {"authorization": f"Bearer {who}", "content-type": "application/json"}
        if body is None and DOORS[name].body:
            body = json.dumps(filled(DOORS[name].body, self._things))
        method, address = name.split(" ")[0], self._stack.url(url)
        # A stream that is let in would go on for ever: its beginning is enough.
        async with (
            self._gate,
            self._client.stream(method, address, content=body, headers=headers) as answer,
        ):
            self.statuses[answer.status_code] += 1
            if answer.status_code == 401:
                self.unknown.append(url)
            if answer.status_code >= 500:
                self.faults.append(f"{name} {url[:200]} {(body or '')[:300]}: {answer.status_code}")


@pytest.mark.timeout(300)
async def test_case_88_no_hostile_text_or_date_meets_a_fault(
    town: Town, stack: Stack, record_property: Any
) -> None:
    things = await everything(town)
    async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as tasks:
        made = Calls(stack, client, things)
        for name, roles in sorted(OPERATIONS.items()):
            for url, body in calls(name, things):
                tasks.create_task(made.make(name, caller(roles), url, body))
    statuses, faults = made.statuses, made.faults
    said = f"{statuses.total()} calls of {len(OPERATIONS)} operations, {len(faults)} faults"
    record_property(COUNTED, f"{said}, {dict(statuses)}")
    assert not faults, "\n".join(faults[:20])
    assert statuses.total() > 1000
    # All are refused for what they hold, and not for who sends them: a hostile ticket is who sends it.
    assert all(f"{PARAMETER}=" in url for url in made.unknown), made.unknown
    assert not statuses[429]
    assert statuses[404] + statuses[422] > statuses.total() / 2, statuses
    for process in stack.processes.values():
        await process.ready()
