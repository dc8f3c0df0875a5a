"""Loads the sample town's files through the API; repeating it is harmless."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

from deploy.sample_town.calls import Calls, DemoTokens
from deploy.sample_town.town import ZONE, catalogue, day, table

AT_ONCE: Final = 8

Row = Mapping[str, str]
Item = TypeVar("Item")


async def load(endpoints: Mapping[str, Any]) -> None:
    """Put the directory and the dispatch catalogue into the stack that `endpoints.json` describes.

    Absences are dated from today, so that somebody is always away. Raises Refused for what the stack does not
    take, httpx.TransportError when it is not there.
    """
    today = datetime.now(UTC).astimezone(ZONE).date()
    async with Calls(str(endpoints["web"]), DemoTokens.of(endpoints, {})) as calls:
        # In this order: each of them names some of those before.
        await _put_all(calls, "departments", _department)
        await _put_all(calls, "liaisons", _liaison)
        await _put_all(calls, "enterprises", _enterprise)
        # A tie that ended must be known before the one that took its place.
        await _put_all(calls, "ties", _tie, at_once=1)
        await _put_all(calls, "absences", lambda row: _absence(row, today))
        await _activate_catalogue(calls)


async def each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], at_once: int = AT_ONCE
) -> None:
    """Run `work` for all items, `at_once` of them concurrently. The first error ends it and is raised."""
    room = asyncio.Semaphore(at_once)

    async def one(item: Item) -> None:
        async with room:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from faults


async def _put_all(
    calls: Calls,
    name: str,
    read: Callable[[Row], tuple[str, dict[str, Any]]],
    at_once: int = AT_ONCE,
) -> None:
    async def put(row: Row) -> None:
        path, body = read(row)
        await calls.write("PUT", f"/routing/{path}", body, token=calls.tokens.coordinator)

    await each(table(name), put, at_once)


def _department(row: Row) -> tuple[str, dict[str, Any]]:
    return f"departments/{quote(row['id'])}", {name: row[name] for name in ("name", "phone_desk")}


def _liaison(row: Row) -> tuple[str, dict[str, Any]]:
    return f"liaisons/{quote(row['id'])}", {
        "name": row["name"],
        "department_id": row["department_id"],
        "capacity": int(row["capacity"]),
    }


def _enterprise(row: Row) -> tuple[str, dict[str, Any]]:
    return f"enterprises/{quote(row['uscc'])}", {
        name: row[name] for name in ("name", "park", "industry", "tier")
    }


def _tie(row: Row) -> tuple[str, dict[str, Any]]:
    return f"ties/{quote(row['id'])}", {
        name: row[name]
        for name in ("uscc", "liaison_id", "role", "from", "until", "reason")
        if row[name]
    }


def _absence(row: Row, today: date) -> tuple[str, dict[str, Any]]:
    path = f"liaisons/{quote(row['liaison_id'])}/absences/{quote(row['id'])}"
    body = {name: day(row[name], today).isoformat() for name in ("from", "until")}
    return path, body | ({"deputy_id": row["deputy_id"]} if row["deputy_id"] else {})


async def _activate_catalogue(calls: Calls) -> None:
    """Upload the catalogue and activate it; an equal text is uploaded once."""
    text = catalogue()
    key = f"demo-catalogue-{hashlib.sha256(text).hexdigest()[:32]}"
    token = calls.tokens.coordinator
    uploaded = await calls.write(
        "POST",
        "/routing/catalogue/versions",
        text,
        token=token,
        headers={"content-type": "text/csv; charset=utf-8", "idempotency-key": key},
    )
    path = f"/routing/catalogue/versions/{uploaded['version']}/activate"
    await calls.write("POST", path, {}, token=token)
