"""The directory: idempotent writes, dates that fit together, and what is said of ties."""

import asyncio

import pytest

from services.routing.handlers.commands.directory import PrimaryOverlap
from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import FIRM, OTHER_FIRM, UNTIED_FIRM, code, tie


async def test_entries_are_put_once_and_again(api: Api):
    for path, body in (
        ("departments/D-X", {"name": "某科", "phone_desk": "000-5550-0101"}),
        ("liaisons/L-X", {"name": "某人", "department_id": "D-X", "capacity": 3}),
        (f"enterprises/{code(7)}", {"name": "某厂", "park": "甲园", "tier": "key"}),
        (
            "ties/T-X",
            {"uscc": code(7), "liaison_id": "L-X", "role": "primary", "from": "2026-01-01",
             "reason": "结对"},
        ),
    ):  # fmt: skip
        first = await api.put(f"/routing/{path}", "coordinator", body)
        again = await api.put(f"/routing/{path}", "coordinator", body)
        assert (first.status_code, again.status_code) == (201, 200), first.text
        assert first.json() == again.json()
        for other in ("L001", "D-ROAD", "operator", "system"):
            assert (await api.put(f"/routing/{path}", other, body)).status_code == 403


async def test_lists_go_page_by_page_and_are_filtered(routing: Routing, api: Api):
    ids, cursor = [], ""
    for _ in range(4):
        page = (await api.get(f"/routing/liaisons?limit=2{cursor}", "operator")).json()
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert ids == ["L001", "L002", "L003"]
    firms = (await api.get("/routing/enterprises?tier=key", "L001")).json()["items"]
    assert [firm["uscc"] for firm in firms] == [FIRM]
    ties = (await api.get("/routing/ties?liaison_id=L002", "L001")).json()["items"]
    assert [one["id"] for one in ties] == ["T2", "T3"]
    departments = (await api.get("/routing/departments", "D-ROAD")).json()["items"]
    assert len(departments) == 4
    assert (await api.get("/routing/departments", "system")).status_code == 403


async def test_an_id_means_one_party(routing: Routing, api: Api):
    liaison = {"name": "某人", "department_id": "D-ROAD"}
    assert (await api.put("/routing/liaisons/D-FIRE", "coordinator", liaison)).status_code == 409
    assert (await api.put("/routing/liaisons/DESK", "coordinator", liaison)).status_code == 409
    assert (await api.put("/routing/liaisons/me", "coordinator", liaison)).status_code == 422
    assert (
        await api.put("/routing/departments/L001", "coordinator", {"name": "某科"})
    ).status_code == 409
    page = (await api.get("/routing/liaisons", "operator")).json()
    assert [item["id"] for item in page["items"]] == ["L001", "L002", "L003"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("liaisons/L9", {"name": "某", "department_id": "D-NO"}, "/body/department_id"),
        ("ties/T9", {"uscc": FIRM, "liaison_id": "L-NO", "role": "deputy", "from": "2026-01-01"},
         "/body/liaison_id"),
        ("ties/T9", {"uscc": code(88), "liaison_id": "L001", "from": "2026-01-01"}, "/body/uscc"),
        ("ties/T9", {"uscc": UNTIED_FIRM, "liaison_id": "L001", "from": "2026-02-01",
                     "until": "2026-01-31"}, "/body/until"),
        ("liaisons/L001/absences/A9", {"from": "2026-03-02", "until": "2026-03-01"}, "/body/until"),
        ("liaisons/L001/absences/A9", {"from": "2026-03-02", "deputy_id": "L001"},
         "/body/deputy_id"),
        ("liaisons/L001/absences/A9", {"from": "2026-03-02", "deputy_id": "L-NO"},
         "/body/deputy_id"),
        ("liaisons/L-NO/absences/A9", {"from": "2026-03-02"}, "/body/liaison_id"),
        ("enterprises/91310117MA1000001X", {"name": "某厂"}, "/path/uscc"),
        ("departments/D9", {}, "/body/name"),
        ("departments/D9", {"name": "某科", "color": "red"}, "/body/color"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_named_and_nothing_is_kept(
    routing: Routing, api: Api, path: str, body: dict[str, str], pointer: str
):
    answer = await api.put(f"/routing/{path}", "coordinator", body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    for table, column in (("party", "id"), ("tie", "id"), ("absence", "id")):
        assert not await routing.rows(f"select 1 from {table} where {column} like '%9'")


@pytest.mark.parametrize("value", ["", "%20%20", "%E2%80%8B", "%E3%85%A4", "a%07b", "x" * 101])
@pytest.mark.parametrize(
    "path", ["enterprises?park=", "liaisons?department_id=", "ties?liaison_id=", "ties?uscc="]
)
async def test_a_filter_that_cannot_be_is_named(api: Api, path: str, value: str):
    answer = await api.get(f"/routing/{path}{value}", "operator")
    assert answer.status_code == 422, answer.text
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == [f"/query/{path.partition('?')[2][:-1]}"]


@pytest.mark.parametrize("path", ["liaisons?department_id=", "ties?liaison_id="])
async def test_case_24_a_party_that_is_not_there_is_named(api: Api, path: str):
    for party in ("NOPE", "d-road", "l001"):
        answer = await api.get(f"/routing/{path}{party}", "operator")
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (422, "unknown_party")
        assert error["pointer"] == f"/query/{path.partition('?')[2][:-1]}"
        assert party in error["detail"]


async def test_no_two_primaries_on_one_day(routing: Routing, api: Api):
    body = {"uscc": FIRM, "liaison_id": "L003", "role": "primary", "from": "2026-06-01"}
    refused = await api.put("/routing/ties/T9", "coordinator", body)
    assert (refused.status_code, refused.json()["tie_id"]) == (409, "T1")
    ended = {"uscc": FIRM, "liaison_id": "L001", "role": "primary", "from": "2025-01-01",
             "until": "2026-05-31", "reason": "交接"}  # fmt: skip
    assert (await api.put("/routing/ties/T1", "coordinator", ended)).status_code == 200
    assert (await api.put("/routing/ties/T9", "coordinator", body)).status_code == 201
    overlapping = ended | {"until": "2026-06-01"}
    assert (await api.put("/routing/ties/T1", "coordinator", overlapping)).status_code == 409


async def test_of_two_primaries_put_at_once_one_is_there(routing: Routing):
    async def put(number: int) -> object:
        async with routing.db.transaction() as conn:
            return await tie(conn, f"T9{number}", UNTIED_FIRM, "L001")

    done = await asyncio.gather(*(put(number) for number in range(4)))
    assert sum(isinstance(one, PrimaryOverlap) for one in done) == 3


async def test_a_change_of_a_tie_is_said_once(routing: Routing, api: Api):
    body = {"uscc": OTHER_FIRM, "liaison_id": "L002", "role": "primary", "from": "2025-01-01",
            "until": "2026-12-31", "reason": "调岗"}  # fmt: skip
    for _ in range(2):
        await api.put("/routing/ties/T3", "coordinator", body)
    began, changed = await routing.events("T3")
    assert began["type"] == "liaison.tie.changed.v1"
    assert (began["until_on"], changed["until_on"]) == (None, "2026-12-31")
    assert changed["reason"] == "调岗"
    assert changed["actor"] == {"role": "coordinator", "party": "C001"}


async def test_an_absence_counts_its_last_day_or_ends_at_its_moment(routing: Routing, api: Api):
    day = {"from": "2026-03-09", "until": "2026-03-09"}
    moment = {"from": "2026-03-10T00:00:00+08:00", "until": "2026-03-11T00:00:00+08:00"}
    await api.put("/routing/liaisons/L001/absences/A1", "coordinator", day)
    await api.put("/routing/liaisons/L001/absences/A2", "L001", moment)
    await api.put("/routing/liaisons/L001/absences/A3", "L001", {"from": "2027-01-01"})
    page = (await api.get("/routing/liaisons/L001/absences", "L002")).json()
    assert [(one["from"], one["until"]) for one in page["items"]] == [
        ("2026-03-08T16:00:00Z", "2026-03-09T16:00:00Z"),
        ("2026-03-09T16:00:00Z", "2026-03-10T16:00:00Z"),
        ("2026-12-31T16:00:00Z", None),
    ]
