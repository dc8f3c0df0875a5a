"""The directory as files: all rows or none, faults by row and column, the sample town's own files."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import FIRM, registered
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

TOWN = Path(__file__).parents[3] / "deploy" / "sample_town" / "data"
CASES = Path(__file__).parents[2] / "cases" / "inputs"
IMPORTS = "/routing/directory/imports?kind="


async def test_the_sample_town_is_entered_twice_with_the_same_end(api: Api):
    for again in (False, True):
        for kind in ("departments", "liaisons", "enterprises", "ties", "absences"):
            raw = (TOWN / f"{kind}.csv").read_bytes()
            answer = await api.upload(IMPORTS + kind, "coordinator", raw)
            assert answer.status_code == 200, answer.text
            counts = answer.json()
            assert counts["rows"] == counts["created"] + counts["changed"] + counts["unchanged"]
            assert counts["created"] == (0 if again else counts["rows"])
    raw = (TOWN / "catalogue.csv").read_bytes()
    answer = await api.upload("/routing/catalogue/versions", "coordinator", raw)
    assert answer.status_code == 201, answer.text


async def test_either_encoding(routing: Routing, api: Api):
    text = "id,name\r\nD-新,某科\r\n".replace("新", "NEW")
    for encoding in ("utf-8-sig", "gb18030"):
        answer = await api.upload(IMPORTS + "departments", "coordinator", text.encode(encoding))
        assert answer.status_code == 200
    assert (await routing.rows("select name from party where id = 'D-NEW'"))[0]["name"] == "某科"


async def test_what_is_wrong_is_named_and_no_row_is_kept(routing: Routing, api: Api):
    raw = "id,name,department_id,capacity\r\nL8,某,D-ROAD,3\r\n\r\nL9,,D-ROAD,many\r\n"
    answer = await api.upload(IMPORTS + "liaisons", "coordinator", raw.encode())
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/4/name", "/4/capacity"}
    raw = "id,name,department_id\r\nL8,某,D-ROAD\r\nL9,某,D-NO\r\n"
    answer = await api.upload(IMPORTS + "liaisons", "coordinator", raw.encode())
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/3/department_id", "unknown_reference")
    assert not await routing.rows("select 1 from party where id in ('L8', 'L9')")


async def test_two_primaries_in_one_file(routing: Routing, api: Api):
    raw = f"id,uscc,liaison_id,from\r\nT8,{FIRM},L003,2026-01-01\r\n"
    answer = await api.upload(IMPORTS + "ties", "coordinator", raw.encode())
    assert answer.json()["errors"][0]["code"] == "primary_overlap"


async def test_a_file_of_absences_holds_no_queue_while_it_waits(routing: Routing, api: Api):
    lines = [f"{who},A{n},2026-05-0{n}" for n, who in enumerate(("L003", "L002", "L001"), start=1)]
    raw = "\r\n".join(["liaison_id,id,from", *lines]).encode()
    async with routing.db.transaction() as conn:
        await conn.execute("select 1 from queue where party = 'L001' for update")
        entering = asyncio.create_task(api.upload(IMPORTS + "absences", "coordinator", raw))
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
        async with asyncio.timeout(5):
            while not await routing.rows(f"{waiting} and query like '%from queue%'"):
                await asyncio.sleep(0.02)
        free = "select party from queue where party in ('L002', 'L003') for update nowait"
        assert len(await conn.fetch(free)) == 2
    assert (await entering).status_code == 200


async def test_an_absence_stands_although_its_offers_are_locked(routing: Routing, api: Api):
    await routing.take_requests(registered())
    path = "/routing/liaisons/L001/absences/A1"
    async with routing.db.transaction() as conn:
        await conn.execute("select 1 from matter for update")
        body = {"from": "2026-03-01", "until": "2026-03-09"}
        entering = asyncio.create_task(api.put(path, "coordinator", body))
        # Longer than a lock is waited for; a session that is idle for so long would be ended.
        await conn.execute("select pg_sleep(7)")
        assert (await entering).status_code == 201
    assert await routing.begin_absences() == 1
    assert await routing.load("L001") == 0


async def test_absences_in_a_file_pass_on_what_is_offered(routing: Routing, api: Api):
    request = registered()
    await routing.take_requests(request)
    raw = b"liaison_id,id,from,until,deputy_id\r\nL001,A1,+0d,+3d,L003\r\n"
    assert (await api.upload(IMPORTS + "absences", "coordinator", raw)).status_code == 200
    assert (await routing.current(request.subject))["party"] == "L003"


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "empty"), (b"id,name\r\n", "empty"), (b"\x81\xff\xff\x81", "encoding")]
)
async def test_a_file_that_is_none(api: Api, raw: bytes, code: str):
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_only_a_coordinator_imports(api: Api):
    for who in ("L001", "D-ROAD", "operator", "system"):
        assert (await api.upload(IMPORTS + "departments", who, b"id,name\r\n")).status_code == 403


async def test_case_07_an_absence_from_20260101_is_an_absence_from_that_day(
    routing: Routing, api: Api
):
    raw = (CASES / "07-absences.csv").read_bytes()
    assert (await api.upload(IMPORTS + "absences", "coordinator", raw)).status_code == 200
    (kept,) = await routing.rows("select from_at, until_at from absence where id = 'CASE-A1'")
    assert kept["from_at"].isoformat() == "2025-12-31T16:00:00+00:00"
    assert kept["until_at"].isoformat() == "2030-12-31T16:00:00+00:00"
    request = registered()
    await routing.take_requests(request)
    assert (await routing.current(request.subject))["party"] == "L002"


async def test_case_07_a_number_is_no_day_in_json(api: Api):
    path = "/routing/liaisons/L001/absences/A1"
    for sent in (20260101, "20260101", 1767225600, True):
        answer = await api.put(path, "coordinator", {"from": sent})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (422, "/body/from")
        assert error["code"] == "datetime_number"


async def test_the_days_of_ties_are_read_as_offices_type_them(routing: Routing, api: Api):
    firm = next(iter(await routing.rows("select uscc from enterprise where uscc <> $1", FIRM)))
    raw = "id,uscc,liaison_id,role,from,until\r\n" + "".join(
        f"T{number},{firm['uscc'].lower()},L003,deputy,{day},\r\n"
        for number, day in enumerate(
            ("20260101", "2026/1/1", "２０２６．１．１", "2026年1月1日", "46023")
        )
    )
    answer = await api.upload(IMPORTS + "ties", "coordinator", raw.encode())
    assert answer.status_code == 200, answer.text
    kept = await routing.rows(
        "select distinct from_on::text from tie where uscc = $1 and liaison_id = 'L003'",
        firm["uscc"],
    )
    assert [row["from_on"] for row in kept] == ["2026-01-01"]
    raw = f"id,uscc,liaison_id,from\r\nT9,{firm['uscc']},L003,1/2/2026\r\n"
    (error,) = (await api.upload(IMPORTS + "ties", "coordinator", raw.encode())).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/2/from", "date_ambiguous")


async def test_case_88_absences_at_the_ends_of_the_calendar_are_refused(routing: Routing, api: Api):
    path = "/routing/liaisons/L001/absences/A1"
    for body in (
        {"from": "9999-12-31"},
        {"from": "0001-01-01"},
        {"from": "2026-03-02", "until": "9999-12-31"},
        {"from": "9999-12-31T23:59:59-12:00"},
        {"from": "0001-01-01T00:00:00+14:00"},
    ):
        answer = await api.put(path, "coordinator", body)
        assert answer.status_code == 422, body
    assert (
        await api.put(path, "coordinator", {"from": "1900-01-01", "until": "2200-12-31"})
    ).status_code == 201


@pytest.mark.parametrize("dimension", ["A1", "A1:B2"])
async def test_case_01_all_rows_of_a_workbook_are_entered(api: Api, dimension: str):
    rows = [row(1, text_cell("A1", "id"), text_cell("B1", "name"))]
    rows += [
        row(at, text_cell(f"A{at}", f"D-{at}"), text_cell(f"B{at}", "某科")) for at in (2, 3, 4)
    ]
    raw = workbook(sheet_of(*rows, before=f'<dimension ref="{dimension}"/>'))
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw)
    assert (answer.json()["rows"], answer.json()["sheet"]) == (3, "表1")


async def test_case_03_an_absence_whose_end_has_no_value_is_refused(routing: Routing, api: Api):
    header = [
        text_cell(f"{letter}1", name)
        for letter, name in zip("ABCD", ("id", "liaison_id", "from", "until"), strict=True)
    ]
    cells = (text_cell("A2", "A9"), text_cell("B2", "L001"), text_cell("C2", "2026-01-01"))
    raw = workbook(sheet_of(row(1, *header), row(2, *cells, '<c r="D2"><f>C2+3</f></c>')))
    answer = await api.upload(IMPORTS + "absences", "coordinator", raw)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (
        422, "/2/until", "formula_without_value",
    )  # fmt: skip


async def test_case_12_a_row_with_more_cells_than_columns_is_refused(api: Api):
    raw = "id,name\r\nD-8,某科,多出的\r\n".encode()
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, "/2", "extra_cells")


async def test_case_12_a_column_that_is_there_twice_is_refused(api: Api):
    raw = "id,name,name\r\nD-8,某科,另一科\r\n".encode()
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, "/1", "column_twice")


@pytest.mark.parametrize("path", [IMPORTS + "departments", "/routing/catalogue/versions"])
async def test_case_11_an_old_workbook_is_told_how(api: Api, path: str):
    raw = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512
    answer = await api.upload(path, "coordinator", raw)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (415, "format_xls")
    assert "soffice" in error["detail"]


async def test_case_41_headings_are_compared_folded(routing: Routing, api: Api):
    raw = "\ufeff ＩＤ ,Na\u200bme,Phone-Desk\r\nD-A1,某科,\r\n".replace("-Desk", "_Desk")
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw.encode())
    assert answer.status_code == 200, answer.text
    assert (await routing.rows("select name from party where id = 'D-A1'"))[0]["name"] == "某科"


async def test_columns_that_do_not_fit_are_named_once_at_the_header(api: Api):
    raw = "id,nam,ID\r\n" + "".join(f"D-{number},某科,x\r\n" for number in range(300))
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw.encode())
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/1", "missing_column"), ("/1", "unknown_column"), ("/1", "column_twice")
    ]  # fmt: skip
    assert "name" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("kind", "rows", "pointer"),
    [
        ("departments", "id,name\r\nD-A1,一\r\nD-A1,二\r\n", "/3/id"),
        ("liaisons", "id,name,department_id\r\nL-A1,一,D-ROAD\r\nL-A1,二,D-ROAD\r\n", "/3/id"),
        ("enterprises", f"uscc,name\r\n{FIRM},一\r\n{FIRM.lower()},二\r\n", "/3/uscc"),
        (
            "absences",
            "id,liaison_id,from\r\nA8,L001,+1d\r\nA8,L002,+1d\r\nA8,L001,+2d\r\n",
            "/4/id",
        ),
    ],
)
async def test_two_rows_of_one_entry_are_refused(
    routing: Routing, api: Api, kind: str, rows: str, pointer: str
):
    answer = await api.upload(IMPORTS + kind, "coordinator", rows.encode())
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, pointer, "entry_twice")
    assert not await routing.rows("select 1 from party where name in ('一', '二')")


async def test_a_row_that_stands_twice_is_entered_once(api: Api):
    raw = "id,name\r\nD-A1,某科\r\nD-A1,某科\r\n"
    counts = (await api.upload(IMPORTS + "departments", "coordinator", raw.encode())).json()
    assert (counts["rows"], counts["created"]) == (2, 1)


async def test_a_capacity_is_a_whole_number(routing: Routing, api: Api):
    statuses = dict.fromkeys(("20", "２０", "20.0", "20件", "20 家"), 200)
    statuses |= dict.fromkeys(("1_0", "20.5", "1,000", "-1", "2e1", "很多"), 422)
    for capacity, status in statuses.items():
        raw = f'id,name,department_id,capacity\r\nL-A1,某,D-ROAD,"{capacity}"\r\n'
        answer = await api.upload(IMPORTS + "liaisons", "coordinator", raw.encode())
        assert answer.status_code == status, answer.text
        if status == 422:
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/2/capacity"]
    assert (await routing.rows("select capacity from liaison where id = 'L-A1'"))[0][
        "capacity"
    ] == 20


async def test_a_liaison_who_would_be_their_own_deputy_is_told_so(api: Api):
    raw = b"liaison_id,id,from,deputy_id\r\nL001,A1,+1d,L001\r\n"
    (error,) = (await api.upload(IMPORTS + "absences", "coordinator", raw)).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/2/deputy_id", "own_deputy")
    body = {"from": "2026-03-02", "deputy_id": "L001"}
    answer = await api.put("/routing/liaisons/L001/absences/A1", "coordinator", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "own_deputy")
    assert "另一位" in answer.json()["detail"]
