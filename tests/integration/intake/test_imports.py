"""Files of submissions: taken row by row like any other, told row by row, given back where they must be mended."""

import asyncio
import io
from typing import Any

import asyncpg
import httpx
from openpyxl import Workbook

from services.intake.app import build
from services.intake.settings import Settings
from shared.tables.reader import read_table
from shared.tables.upload import XLSX
from shared.tables.writing import as_csv
from tests.integration.intake.samples import code

HEADER = (
    "source_ref", "channel", "kind", "requester.kind", "requester.id", "requester.name",
    "summary", "detail", "联系人", "联系电话",
)  # fmt: skip
PATH = "/intake/imports?source=https://park.example/visits"


def row(number: int, **changes: str) -> tuple[str, ...]:
    cells = {
        "source_ref": f"visit-{number}",
        "channel": "走访",
        "kind": "求助",
        "requester.kind": "企业",
        "requester.id": code(number),
        "requester.name": "云杉精密",
        "summary": f"诉求{number}",
        "detail": "雨后积水",
        "联系人": "某人",
        "联系电话": "000-5550-0101",
    } | changes
    return tuple(cells[name] for name in HEADER)


async def sent(
    intake: httpx.AsyncClient, *rows: tuple[str, ...], media_type: str = "text/csv", **headers: str
) -> httpx.Response:
    raw = as_csv(HEADER, rows)
    if media_type == XLSX:
        book, file = Workbook(), io.BytesIO()
        for cells in (HEADER, *rows):
            book.active.append(cells)
        book.save(file)
        raw = file.getvalue()
    return await intake.post(PATH, content=raw, headers={"content-type": media_type} | headers)


async def done(intake: httpx.AsyncClient, answer: httpx.Response, **params: int) -> Any:
    assert answer.status_code in (200, 202), answer.text
    async with asyncio.timeout(20):
        while True:
            status = await intake.get(answer.json()["status_url"], params=params)
            assert status.status_code == 200, status.text
            if status.json()["state"] == "done":
                return status.json()
            await asyncio.sleep(0.05)


async def test_each_row_is_taken_or_told_what_is_wrong(intake: httpx.AsyncClient) -> None:
    answer = await sent(intake, row(1), row(2, kind="?"), row(3), row(3), row(3, summary="另一件"))
    assert answer.status_code == 202
    found = await done(intake, answer)
    assert found["rows"] == 5
    assert found["counts"] == {
        "pending": 0, "taken": 2, "repeated": 1, "conflicting": 1, "faulty": 1,
    }  # fmt: skip
    outcomes = [item["outcome"] for item in found["items"]]
    assert outcomes == ["taken", "faulty", "taken", "repeated", "conflicting"]
    assert [item["row"] for item in found["items"]] == [2, 3, 4, 5, 6]
    first = found["items"][0]
    status = await intake.get(first["status_url"])
    assert status.json()["request_id"] == first["request_id"]
    assert found["items"][3]["receipt"] == found["items"][2]["receipt"]
    assert found["items"][4]["receipt"] is None


async def test_the_faulty_come_back_as_a_file_that_can_be_mended_and_sent(
    intake: httpx.AsyncClient,
) -> None:
    found = await done(
        intake, await sent(intake, row(11), row(12, summary=""), row(13, channel="?"))
    )
    answer = await intake.get(found["faulty_url"])
    assert answer.headers["content-type"].startswith("text/csv")
    table = read_table(answer.content, 10)
    assert table.header == (*HEADER, "problem")
    assert [cells[0] for cells in table.rows.values()] == ["visit-12", "visit-13"]
    mended = [
        (*cells[:1], "热线", *cells[2:6], "补上", *cells[7:]) for cells in table.rows.values()
    ]
    again = await intake.post(PATH, content=as_csv(table.header, mended))
    assert (await done(intake, again))["counts"]["taken"] == 2


async def test_the_same_file_twice_is_one_import_and_a_longer_one_takes_what_is_new(
    intake: httpx.AsyncClient,
) -> None:
    first = await sent(intake, row(21), row(22), media_type=XLSX)
    again = await intake.post(PATH, content=first.request.content, headers={"content-type": XLSX})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    longer = await done(intake, await sent(intake, row(21), row(22), row(23)))
    assert (longer["counts"]["repeated"], longer["counts"]["taken"]) == (2, 1)


async def test_a_file_that_cannot_be_used_leaves_nothing_behind(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    for raw in (b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\xff\xff\xff\xff"):
        answer = await intake.post(PATH, content=raw)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:liaison:problem:import_unusable"
        assert answer.json()["errors"]
    conn = await asyncpg.connect(database_url)
    assert await conn.fetchval("select count(*) from intake.import") == 0
    await conn.close()


async def test_what_was_taken_keeps_no_second_copy_of_a_contact(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    await done(intake, await sent(intake, row(31), row(32, kind="?")))
    conn = await asyncpg.connect(database_url)
    kept = await conn.fetch("select number, cells, submission from intake.import_row order by 1")
    await conn.close()
    assert [tuple(each)[1:] for each in kept[:1]] == [(None, None)]
    assert "5550" in kept[1]["cells"]


async def test_only_its_sender_and_coordinators_see_it(intake: httpx.AsyncClient) -> None:
    path = (await sent(intake, row(41))).json()["status_url"]
    for token, status in (("system", 200), ("coordinator", 200), ("liaison", 403), ("x", 401)):
        seen = await intake.get(path, headers={"authorization": f"Bearer {token}"})
        assert seen.status_code == status
    assert (await sent(intake, row(42), authorization="Bearer liaison")).status_code == 403
    other = await sent(intake, row(43), authorization="Bearer coordinator")
    assert (await intake.get(other.json()["status_url"])).status_code == 404
    assert (await intake.get(f"{other.json()['status_url']}/faulty")).status_code == 404


async def test_a_long_file_is_taken_in_parts_and_read_in_pages(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    answer = await sent(intake, *(row(number) for number in range(100, 1300)))
    found = await done(intake, answer, limit=1000)
    assert (found["counts"]["taken"], len(found["items"])) == (1200, 1000)
    rest = await intake.get(
        answer.json()["status_url"], params={"cursor": found["next"], "limit": 1000}
    )
    assert (len(rest.json()["items"]), rest.json()["next"]) == (200, None)
    conn = await asyncpg.connect(database_url)
    assert await conn.fetchval("select count(*) from intake.event") == 1200
    # A commit for a few hundred rows, not for each.
    assert await conn.fetchval("select count(distinct xmin::text) from intake.event") == 3
    await conn.close()


async def test_a_file_sent_to_one_process_is_taken_by_all_of_them_once(
    intake: httpx.AsyncClient, settings: Settings, database_url: str
) -> None:
    other = build(settings)
    async with other.router.lifespan_context(other):
        rows = [row(number) for number in range(2000, 4000)]
        answers = await asyncio.gather(sent(intake, *rows), sent(intake, *rows))
        assert sorted(answer.status_code for answer in answers) == [200, 202]
        found = await done(intake, answers[0])
    assert found["counts"]["taken"] == 2000
    conn = await asyncpg.connect(database_url)
    assert await conn.fetchval("select count(*) from intake.request") == 2000
    await conn.close()
