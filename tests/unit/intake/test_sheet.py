"""A file of submissions as people fill it in."""

import json
from typing import Any

import pytest

from services.intake.api import sheet
from services.intake.api.sheet import MOST_ROWS
from services.intake.store.imports import NewRow
from shared.runtime.errors import Problem
from shared.tables.reader import read_table
from shared.tables.writing import as_csv
from tests.integration.intake.samples import code

HEADER = (
    "来源编号", "渠道", "诉求类型", "诉求方类型", "诉求方编号", "诉求方名称", "诉求概述", "诉求内容",
    "紧急程度", "发生时间", "联系人", "联系电话",
)  # fmt: skip
SOURCE = "https://park.example/visits"


def cells(**changes: str) -> tuple[str, ...]:
    row = {
        "来源编号": "走访-1",
        "渠道": "走访",
        "诉求类型": "求助",
        "诉求方类型": "企业",
        "诉求方编号": code(1),
        "诉求方名称": "云杉精密",
        "诉求概述": "北门积水",
        "诉求内容": "雨后积水",
    } | changes
    return tuple(row.get(name, "") for name in HEADER)


def read_rows(
    raw: bytes, source: str | None, lang: str, sources: tuple[str, ...] = ()
) -> list[NewRow]:
    return list(sheet.read_rows(read_table(raw, MOST_ROWS), source, lang, sources))


def read(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> list[Any]:
    return read_rows(as_csv(header, rows), SOURCE, "zh")


def test_a_row_in_words_is_a_submission() -> None:
    [row] = read(
        cells(紧急程度="特急", 发生时间="2026/3/4 9:05", 联系人="某人", 联系电话="000-5550-0101")
    )
    assert row.errors == ()
    sent = json.loads(row.submission)
    assert (sent["source"], sent["source_ref"]) == (SOURCE, "走访-1")
    assert (sent["channel"], sent["kind"], sent["urgency"]) == ("visit", "help", "emergency")
    assert sent["requester"]["contact"] == {"name": "某人", "phone": "000-5550-0101"}
    assert sent["occurred_at"] == "2026-03-04T01:05:00Z"


def test_a_row_under_a_source_that_is_not_the_senders_is_to_be_mended() -> None:
    header = (*HEADER, "source")
    file = as_csv(header, [(*cells(), SOURCE), (*cells(), "https://other.example"), cells()])
    rows = read_rows(file, SOURCE, "en", (SOURCE,))
    assert [row.submission is None for row in rows] == [False, True, False]
    [fault] = rows[1].errors
    assert (fault["pointer"], fault["code"]) == ("/source", "another_source")
    assert SOURCE in fault["detail"]
    assert rows[1].cells[-1] == "https://other.example"
    assert all(row.errors == () for row in read_rows(file, SOURCE, "en"))


def test_wire_names_and_english_words_do_as_well() -> None:
    header = (
        "source", "source_ref", "channel", "kind", "requester.kind", "Requester ID",
        "requester_name", "summary", "detail",
    )  # fmt: skip
    row = ("urn:x:y", "1", "safety_check", "Question", "enterprise", code(2), "红松", "a", "b")
    [read_row] = read(row, header=header)
    sent = json.loads(read_row.submission)
    assert (sent["source"], sent["channel"], sent["kind"]) == ("urn:x:y", "safety_check", "ask")


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"渠道": "飞鸽"}, "/channel", "走访、热线"),
        ({"诉求方编号": "91310117MA1000001A"}, "/requester/id", "校验位"),
        ({"诉求概述": ""}, "/summary", ""),
        ({"发生时间": "昨天"}, "/occurred_at", ""),
        ({"发生时间": "2026-02-30"}, "/occurred_at", ""),
        ({"联系人": "某人"}, "/requester/contact/phone", ""),
    ],
)
def test_what_is_wrong_in_a_row_is_named(changes: dict[str, str], pointer: str, said: str) -> None:
    good, bad = read(cells(), cells(**changes))
    assert good.submission is not None
    assert bad.submission is None
    [error] = bad.errors
    assert error["pointer"] == pointer
    assert said in error["detail"]


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        (HEADER[1:], ["missing_column"]),
        ((*HEADER, "天气"), ["unknown_column"]),
        ((*HEADER, "summary"), ["column_twice"]),
        ((*HEADER, "问题"), []),
        ((*HEADER, "", ""), []),
    ],
)
def test_a_header_must_say_what_is_where(header: tuple[str, ...], codes: list[str]) -> None:
    raw = as_csv(header, [cells()])
    if not codes:
        assert read_rows(raw, SOURCE, "zh")
        return
    with pytest.raises(Problem) as caught:
        read_rows(raw, SOURCE, "zh")
    assert [error.code for error in caught.value.errors] == codes


@pytest.mark.parametrize(
    "written",
    [
        "*{}",
        "{}*",
        "{}（必填）",
        "{} (必填)",
        "{}\n【选填】",
        "＊{}",
        "{}*(必填项)",
        "{}(required)",
    ],
)
def test_what_templates_add_to_a_heading_is_no_part_of_it(written: str) -> None:
    [row] = read(cells(), header=tuple(map(written.format, HEADER)))
    assert not row.errors
    with pytest.raises(Problem) as caught:
        read(cells(), header=(*map(written.format, HEADER[:-1]), written.format("备注")))
    codes = [error.code for error in caught.value.errors]
    assert codes == ["unknown_column"]


def test_the_source_is_in_the_file_or_beside_it() -> None:
    with pytest.raises(Problem) as caught:
        read_rows(as_csv(HEADER, [cells()]), None, "zh")
    assert "来源" in caught.value.errors[0].message
