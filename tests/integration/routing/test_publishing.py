"""What routing publishes of its directory: each entry when it changes, and once those of before."""

import asyncio
from datetime import date
from typing import Any

import orjson
import pytest

from services.routing.handlers import publishing
from services.routing.handlers.commands import directory
from services.routing.store.directory.entries import Department, Tie
from shared.contracts.topics import DIRECTORY
from shared.contracts.vocabulary import TieRole
from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import COORDINATOR, FIRM, MONDAY, code

PHONE = "000-5550-0101"


async def published(routing: Routing) -> list[dict[str, Any]]:
    """Every event of the directory in the order in which it was recorded."""
    rows = await routing.rows(
        "select subject, version, type, data from event where topic = $1 order by seq", DIRECTORY
    )
    return [row | {"data": orjson.loads(row["data"])} for row in rows]


async def test_case_92_each_change_of_an_entry_is_published_once(routing: Routing, api: Api):
    before = len(await published(routing))
    for path, body in (
        ("departments/D-X", {"name": "某科", "phone_desk": PHONE}),
        ("departments/D-X", {"name": "某科", "phone_desk": "000-5550-0102"}),
        ("departments/D-X", {"name": "新科", "phone_desk": PHONE}),
        ("liaisons/L-X", {"name": "某人", "department_id": "D-X", "capacity": 3}),
        ("liaisons/L-X", {"name": "某人", "department_id": "D-X", "capacity": 9}),
        (f"enterprises/{code(7)}", {"name": "某厂", "park": "甲园", "tier": "key"}),
        ("liaisons/L-X/absences/A1", {"from": "2026-03-02", "until": "2026-03-03"}),
        ("liaisons/L-X/absences/A1", {"from": "2026-03-02", "until": "2026-03-03"}),
    ):
        assert (await api.put(f"/routing/{path}", "coordinator", body)).status_code < 300
    events = (await published(routing))[before:]
    assert [(each["subject"], each["version"]) for each in events] == [
        ("department/D-X", 1),
        ("department/D-X", 2),
        ("liaison/L-X", 1),
        (f"enterprise/{code(7)}", 1),
        ("absence/L-X/A1", 1),
    ]
    assert events[1]["data"]["name"] == "新科"
    assert events[2]["data"]["actor"] == {"role": "coordinator", "party": "C001"}
    assert "5550" not in str(events)


async def test_case_92_what_is_refused_publishes_nothing(routing: Routing, api: Api):
    before = await published(routing)
    for path, body, status in (
        ("departments/L001", {"name": "某科"}, 409),
        ("liaisons/L-Y", {"name": "某人", "department_id": "D-NOPE"}, 422),
        ("liaisons/L001", {"name": "改名", "department_id": "D-NOPE"}, 422),
        (f"departments/{FIRM}", {"name": "某科"}, 422),
        ("liaisons/L001/absences/A1", {"from": "2026-03-02", "until": "2026-03-01"}, 422),
    ):
        assert (await api.put(f"/routing/{path}", "coordinator", body)).status_code == status, path
    assert await published(routing) == before


async def test_case_92_a_file_is_published_row_by_row(routing: Routing, api: Api):
    rows = "".join(f"D-{number},科{number}\n" for number in range(30))
    answer = await api.upload(
        "/routing/directory/imports?kind=departments", "coordinator", f"id,name\n{rows}".encode()
    )
    assert answer.status_code == 200, answer.text
    subjects = {each["subject"] for each in await published(routing)}
    assert {f"department/D-{number}" for number in range(30)} <= subjects


async def test_case_92_ids_of_different_kinds_do_not_meet(routing: Routing):
    """A tie may be called as a party is: its events are counted beside the party's."""
    async with routing.db.transaction() as conn:
        tie = Tie("L001", code(3), "L001", TieRole.PRIMARY, date(2025, 1, 1), None, "结对")
        await directory.put_tie(conn, tie, COORDINATOR, MONDAY)
    assert await routing.said("L001") == ["tie.changed"]
    assert await routing.said("liaison/L001") == ["liaison.changed"]


async def forget(routing: Routing) -> None:
    """As a database of before the topic is: entries, and nothing published of them."""
    async with routing.db.transaction() as conn:
        await conn.execute("truncate published_entry")
        await conn.execute("alter table event disable trigger user")
        await conn.execute("delete from outbox")
        await conn.execute("delete from event where topic = $1", DIRECTORY)
        await conn.execute("alter table event enable trigger user")


async def publish_all(routing: Routing) -> int:
    """How many transactions it took."""
    for times in range(100):
        async with routing.db.transaction() as conn:
            if not await publishing.publish_earlier(conn, MONDAY):
                return times
    raise AssertionError("it does not end")


async def test_case_92_entries_of_before_are_published_once_departments_first(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
):
    async with routing.db.transaction() as conn:
        await conn.execute(
            "insert into absence (liaison_id, id, from_at) values ('L001', 'A1', now())"
        )
    await forget(routing)
    monkeypatch.setattr(publishing, "SLICE", 2)
    assert await publish_all(routing) == 2 + 2 + 2 + 1
    events = await published(routing)
    assert [each["subject"].partition("/")[0] for each in events] == (
        ["department"] * 4 + ["liaison"] * 3 + ["enterprise"] * 3 + ["absence"]
    )
    assert {each["version"] for each in events} == {1}
    assert {each["data"]["actor"]["role"] for each in events} == {"system"}
    assert await publish_all(routing) == 0
    (pending,) = await routing.rows("select count(*) as n from outbox join event using (seq)")
    assert pending["n"] == len(events)


async def test_case_92_a_change_beside_the_publishing_of_before_stands(routing: Routing):
    """Whichever commits first, the last version of an entry says what the entry is."""
    for name in ("先改", "后改"):
        await forget(routing)
        async with routing.db.transaction() as conn:
            entry = Department("D-ROAD", name)
            if name == "先改":
                await directory.put_department(conn, entry, COORDINATOR, MONDAY)
                beside = asyncio.create_task(publish_all(routing))
                await asyncio.sleep(0.3)
            else:
                await publishing.publish_earlier(conn, MONDAY)
                beside = asyncio.create_task(change(routing, entry))
                await asyncio.sleep(0.3)
        await beside
        said = [each for each in await published(routing) if each["subject"] == "department/D-ROAD"]
        assert said[-1]["data"]["name"] == name
        assert [each["version"] for each in said] == list(range(1, len(said) + 1))


async def change(routing: Routing, entry: Department) -> None:
    async with routing.db.transaction() as conn:
        await directory.put_department(conn, entry, COORDINATOR, MONDAY)
