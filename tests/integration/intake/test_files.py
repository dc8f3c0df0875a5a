"""Files as offices send them, over HTTP: taken whole, refused by name, or their faulty rows are told."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.tables.reader import read_table
from shared.tables.upload import XLSX
from tests.integration.intake.test_imports import HEADER, PATH, done, row
from tests.unit.tables.making import sheet_of, workbook

INPUTS = Path(__file__).parents[2] / "cases" / "inputs"


async def send(
    intake: httpx.AsyncClient,
    raw: bytes,
    media_type: str = "text/csv",
    path: str = "/intake/imports",
) -> httpx.Response:
    return await intake.post(path, content=raw, headers={"content-type": media_type})


async def taken(intake: httpx.AsyncClient, name: str) -> Any:
    media_type = XLSX if name.endswith("xlsx") else "text/csv"
    return await done(intake, await send(intake, (INPUTS / name).read_bytes(), media_type))


def faults(found: Any) -> list[tuple[int, str, str]]:
    return [
        (item["row"], error["pointer"], error["code"])
        for item in found["items"]
        for error in item["errors"]
    ]


async def test_case_01_all_rows_are_taken_whatever_the_dimension(intake: httpx.AsyncClient) -> None:
    for name in ("01-dimension-a1.xlsx", "01-dimension-short.xlsx"):
        answer = await send(intake, (INPUTS / name).read_bytes(), XLSX)
        assert (answer.json()["rows"], answer.json()["sheet"]) == (3, "Sheet1")
        assert (await done(intake, answer))["counts"]["taken"] == 3


async def test_case_02_a_stray_cell_is_read_at_once(intake: httpx.AsyncClient) -> None:
    assert (await taken(intake, "02-stray-last-row.xlsx"))["counts"]["taken"] == 1


async def test_case_03_a_formula_without_a_value_is_to_be_mended(intake: httpx.AsyncClient) -> None:
    found = await taken(intake, "03-formula-without-value.xlsx")
    assert faults(found) == [(2, "/urgency", "formula_without_value")]


async def test_case_04_a_code_that_lost_digits_is_to_be_mended(intake: httpx.AsyncClient) -> None:
    found = await taken(intake, "04-code-as-number.xlsx")
    assert faults(found) == [(2, "/requester/id", "number_digits")]
    assert "text" in found["items"][0]["errors"][0]["detail"]
    # What is given back is no more a number, and still no code.
    given_back = await intake.get(found["faulty_url"])
    again = await done(intake, await send(intake, given_back.content))
    assert faults(again) == [(2, "/requester/id", "number_digits")]


async def test_case_05_an_error_is_nobodys_name(intake: httpx.AsyncClient) -> None:
    found = await taken(intake, "05-escapes-and-errors.xlsx")
    assert faults(found) == [(3, "/requester/name", "error_cell")]
    assert found["counts"]["taken"] == 1


async def test_case_08_and_09_a_broken_file_is_refused_with_its_row(
    intake: httpx.AsyncClient,
) -> None:
    for name, code in (
        ("08-cut-in-a-character", "broken_character"),
        ("09-unclosed-quote", "unclosed_quote"),
    ):
        answer = await send(intake, (INPUTS / f"{name}.csv").read_bytes())
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["pointer"], error["code"]) == (422, "/3", code)
        assert "3" in error["detail"]


async def test_case_10_faulty_rows_are_harmless_and_the_same_when_sent_again(
    intake: httpx.AsyncClient,
) -> None:
    raw = (INPUTS / "10-formulas.csv").read_bytes()
    found = await done(intake, await send(intake, raw))
    given_back = (await intake.get(found["faulty_url"])).content
    cells = list(csv.reader(io.StringIO(given_back.decode("utf-8-sig"))))[1]
    assert sum(cell.startswith("'") for cell in cells) == 4
    assert not any(cell[:1] in tuple("=+-@") for cell in cells)
    mended = given_back.replace("飞鸽".encode(), "热线".encode())
    again = await done(intake, await send(intake, mended))
    assert again["counts"]["taken"] == 1
    receipt = again["items"][0]["status_url"]
    sent = next(csv.DictReader(io.StringIO(raw.decode())))
    shown = (await intake.get(receipt)).json()
    assert shown["summary"] == sent["summary"]


async def test_case_11_forms_and_old_workbooks_are_told_how(intake: httpx.AsyncClient) -> None:
    form = await intake.post("/intake/imports", files={"file": ("a.csv", b"a,b\n1,2\n")})
    old = await send(
        intake, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "application/vnd.ms-excel"
    )
    for answer, code, words in ((form, "form", "--data-binary"), (old, "format_xls", "soffice")):
        assert answer.status_code == 415
        assert answer.json()["type"] == "urn:liaison:problem:table_format"
        [error] = answer.json()["errors"]
        assert error["code"] == code
        assert words in error["detail"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "application/json"}, "media_type"),
        ({"content-type": "text/csv; charset=klingon"}, "charset"),
        ({"content-type": "text/csv", "content-encoding": "gzip"}, "unsupported_encoding"),
        ({"content-type": "application/x-www-form-urlencoded"}, "form"),
    ],
)
async def test_other_content_is_415_by_name(
    intake: httpx.AsyncClient, headers: dict[str, str], code: str
) -> None:
    answer = await intake.post("/intake/imports", content=b"source=a&b=c", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (415, code)


async def test_a_charset_counts_and_curls_own_type_is_none(intake: httpx.AsyncClient) -> None:
    text = ",".join(HEADER) + "\r\n" + ",".join(row(7))
    for media_type, encoding in (
        ("text/csv; charset=GBK", "gbk"),
        ('text/csv; charset="utf-16le"', "utf-16-le"),
        ("application/x-www-form-urlencoded", "utf-8"),
    ):
        answer = await send(intake, text.encode(encoding), media_type, PATH)
        assert answer.status_code == 202, answer.text
    wrong = await send(intake, text.encode("gbk"), "text/csv; charset=utf-8", PATH)
    assert wrong.json()["errors"][0]["code"] == "broken_character"


async def test_case_12_a_row_with_more_cells_is_to_be_mended_and_loses_none(
    intake: httpx.AsyncClient,
) -> None:
    lines = [",".join(HEADER), ",".join(row(8)), ",".join((*row(9), "多出的"))]
    found = await done(intake, await send(intake, "\n".join(lines).encode(), path=PATH))
    assert faults(found) == [(3, "/", "extra_cells")]
    table = read_table((await intake.get(found["faulty_url"])).content, 10)
    assert "多出的" in table.rows[2]
    assert [fault.code for fault in table.faults[2]] == ["extra_cells"]


async def test_case_80_far_rows_are_refused_while_posts_go_on(intake: httpx.AsyncClient) -> None:
    bomb = workbook(sheet_of('<row r="1000000000000000"><c><v>1</v></c></row>'))
    answers = await asyncio.gather(*(send(intake, bomb, XLSX) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {"row_number"}
    assert (await intake.get("/readyz")).status_code == 200


async def test_more_files_than_may_wait_are_asked_to_come_again(intake: httpx.AsyncClient) -> None:
    slow = b"a,b\n" + b",\n" * 400_000
    answers = await asyncio.gather(*(send(intake, slow) for _ in range(14)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(422), statuses.count(503)) == (10, 4)
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert int(busy.headers["retry-after"]) > 0
