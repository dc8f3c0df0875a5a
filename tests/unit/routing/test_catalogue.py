"""The dispatch catalogue's file: what can be read, what is wrong with it, and what its table then decides."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.catalogue import columns
from services.routing.catalogue.sheet import Faulty, Known, Sheet, read_sheet, read_stored
from services.routing.catalogue.table import Catalogue
from services.routing.domain.dispatching import Dispatched, Facts, Limits
from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency

KNOWN = Known({"D1", "D2", "D3"}, {"甲园", "乙园"})


def sheet(*rows: dict[str, str], header: tuple[str, ...] = columns.COLUMNS) -> bytes:
    """A file with these rows; a cell that is not named is blank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for number, row in enumerate(rows, start=1):
        filled = {columns.RULE: f"R{number}", columns.LEAD: "D1"} | row
        writer.writerow([filled.get(name, "") for name in header])
    return out.getvalue().encode(errors="replace")


def read(*rows: dict[str, str]) -> Sheet:
    found = read_sheet(sheet(*rows), KNOWN)
    assert isinstance(found, Sheet), found
    return found


def faults(*rows: dict[str, str]) -> list[tuple[str, int | None, str | None]]:
    found = read_sheet(sheet(*rows), KNOWN)
    assert isinstance(found, Faulty), found
    return [(fault.code, fault.row, fault.column) for fault in found.faults]


def decided(found: Sheet, **facts) -> Dispatched:
    catalogue = Catalogue(1, found.rules, Limits())
    return catalogue.dispatch(
        Facts(**({"category": None, "kind": Kind.HELP, "urgency": Urgency.NORMAL} | facts))
    )


class TestReading:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_the_encodings_that_office_programs_write(self, encoding: str):
        raw = sheet({columns.CATEGORY: "人才服务"}).decode().encode(encoding)
        found = read_sheet(raw, KNOWN)
        assert isinstance(found, Sheet)
        assert found.rules[0].categories == ("人才服务",)

    @pytest.mark.parametrize(
        ("hours", "minutes"), [("2小时", 120), ("2 个工作小时", 120), ("1.5h", 90), ("2", 120)]
    )
    def test_hours_and_days_may_have_their_unit(self, hours: str, minutes: int):
        for days in ("15个工作日", "15 天", "15日", "15 days", "１５"):
            found = read({columns.ACCEPT_HOURS: hours, columns.HANDLE_DAYS: days})
            assert (found.rules[0].accept_minutes, found.rules[0].handle_days) == (minutes, 15)
        row = {columns.ACCEPT_HOURS: "2天", columns.HANDLE_DAYS: "15小时"}
        assert [code for code, *_ in faults(row)] == ["not_a_number"] * 2

    @pytest.mark.parametrize(
        "raw",
        [
            '规则编号,主办部门\n="001",D1\n', '规则编号,主办部门\n"=""001""",D1\n',
            "\n\n规则编号,主办部门\n001,D1\n\x1a",
            "规则编号;主办部门\n001;D1\n", "sep=,\n规则编号,主办部门\n001,D1\n", "规则编号,主办部门\n001,D1\n",
        ],
    )  # fmt: skip
    def test_what_is_kept_reads_as_what_was_checked(self, raw: str):
        found = read_sheet(raw.encode(), KNOWN)
        assert isinstance(found, Sheet)
        again = read_stored(found.text, KNOWN)
        assert isinstance(again, Sheet)
        assert [rule.rule_id for rule in (*found.rules, *again.rules)] == ["001", "001"]

    @given(
        st.lists(
            st.tuples(st.text(st.sampled_from('R1="\n\ufeff,; '), max_size=6), st.just("D1")),
            max_size=4,
        )
    )
    def test_whatever_is_kept_reads_as_what_was_checked(self, rows: list[tuple[str, str]]):
        lines = "".join(f"{rule},{lead}\n" for rule, lead in rows)
        found = read_sheet(f"规则编号,主办部门\n{lines}".encode(), KNOWN)
        if isinstance(found, Sheet):
            again = read_stored(found.text, KNOWN)
            assert isinstance(again, Sheet)
            assert [one.rule_id for one in again.rules] == [one.rule_id for one in found.rules]

    def test_a_cell_beyond_all_limits_is_a_fault(self):
        assert ("too_long", 2, columns.NOTE) in faults({columns.NOTE: "长" * 140_000})

    def test_every_column(self):
        (rule,) = read(
            {
                columns.RULE: "R-1",
                columns.CATEGORY: " 基础设施／道路 / 积水 ",
                columns.KEYWORDS: "道路、坑洼，WiFi",
                columns.KIND: "咨询、微心愿",
                columns.PARK: "甲园、乙园",
                columns.TIER: "重点、规上",
                columns.URGENCY: "一般、紧急",
                columns.LEAD: "D2",
                columns.CO: "D1、D3",
                columns.DIFFICULTY: "复杂",
                columns.RAISED: "特急",
                columns.ACCEPT_HOURS: "１.5",
                columns.HANDLE_DAYS: "10",
                columns.NOTE: "说'一\"二",
            }
        ).rules
        assert rule.categories == ("基础设施/道路/积水",)
        assert rule.keywords == ("道路", "坑洼", "wifi")
        assert rule.kinds == (Kind.ASK, Kind.WISH)
        assert rule.tiers == (Tier.KEY, Tier.LARGE)
        assert rule.urgencies == (Urgency.NORMAL, Urgency.URGENT)
        assert (rule.lead_department, rule.co_departments) == ("D2", ("D1", "D3"))
        assert (rule.difficulty, rule.raised) == (Difficulty.COMPLEX, Urgency.EMERGENCY)
        assert (rule.accept_minutes, rule.handle_days) == (90, 10)

    def test_blank_rows_count_as_a_spreadsheet_counts_them(self):
        raw = sheet({}, {columns.LEAD: "D9"}).replace(b"\r\nR2", b"\r\n\r\n,,,,,\r\nR2")
        found = read_sheet(raw, KNOWN)
        assert isinstance(found, Faulty)
        assert [fault.row for fault in found.faults] == [5]

    def test_columns_in_another_order_and_those_left_out(self):
        header = (columns.LEAD, columns.RULE, "签收时限（工作小时）")
        found = read_sheet(sheet({"签收时限（工作小时）": "3"}, header=header), KNOWN)
        assert isinstance(found, Sheet)
        assert found.rules[0].accept_minutes == 180


class TestFaults:
    @pytest.mark.parametrize(
        ("column", "cell", "code"),
        [
            (columns.RULE, "", "missing"),
            (columns.LEAD, "", "missing"),
            (columns.LEAD, "D9", "unknown_department"),
            (columns.CO, "D1、D9", "unknown_department"),
            (columns.KIND, "咨询、抱怨", "unknown_label"),
            (columns.TIER, "重要", "unknown_label"),
            (columns.URGENCY, "很急", "unknown_label"),
            (columns.DIFFICULTY, "难", "unknown_label"),
            (columns.DIFFICULTY, "简单、复杂", "one_only"),
            (columns.RAISED, "一般、紧急", "one_only"),
            (columns.ACCEPT_HOURS, "两", "not_a_number"),
            (columns.ACCEPT_HOURS, "0", "not_a_number"),
            (columns.ACCEPT_HOURS, "-1", "not_a_number"),
            (columns.ACCEPT_HOURS, "0.001", "not_a_number"),
            (columns.ACCEPT_HOURS, "1e9", "not_a_number"),
            (columns.ACCEPT_HOURS, "NaN", "not_a_number"),
            (columns.HANDLE_DAYS, "1.5", "not_a_number"),
            (columns.HANDLE_DAYS, "366", "not_a_number"),
            (columns.CATEGORY, "a\"b'c", "unusable_text"),
            (columns.CATEGORY, "／", "unusable_text"),
            (columns.KEYWORDS, "a\x07b", "unusable_text"),
            (columns.KEYWORDS, "长" * 2001, "too_long"),
        ],
    )
    def test_each_is_named_with_its_row_and_column(self, column: str, cell: str, code: str):
        assert faults({}, {column: cell})[0] == (code, 3, column)

    def test_all_are_told_at_once(self):
        found = faults({columns.LEAD: "D9", columns.KIND: "？"}, {columns.HANDLE_DAYS: "x"})
        assert [row for _, row, _ in found] == [2, 2, 3]

    def test_a_rule_that_is_there_twice(self):
        assert faults({columns.RULE: "R"}, {columns.RULE: "R"}) == [("rule_twice", 3, columns.RULE)]

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"", "empty"),
            ("规则编号,主办部门\r\n".encode(), "empty"),
            ("规则编号\r\nR1\r\n".encode(), "missing_column"),
            ("规则编号,主办部门,颜色\r\nR1,D1,红\r\n".encode(), "unknown_column"),
            ("规则编号,主办部门,主办部门\r\nR1,D1,D1\r\n".encode(), "column_twice"),
            (b"\x81\xff\xff\x81", "encoding"),
            (b"x" * (1024 * 1024 + 1), "too_large"),
        ],
    )
    def test_a_file_that_is_no_catalogue(self, raw: bytes, code: str):
        found = read_sheet(raw, KNOWN)
        assert isinstance(found, Faulty)
        assert found.faults[0].code == code

    def test_too_many_rules(self):
        assert faults(*({} for _ in range(2001)))[0][0] == "too_many_rules"

    @given(st.binary(max_size=300))
    def test_nothing_that_is_uploaded_raises(self, raw: bytes):
        assert isinstance(read_sheet(raw, KNOWN), Faulty)

    @given(rule=st.text(max_size=12), word=st.text(min_size=1, max_size=12))
    def test_no_word_raises_and_what_is_accepted_is_found_again(self, rule: str, word: str):
        found = read_sheet(
            sheet({columns.RULE: rule, columns.KEYWORDS: word, columns.CATEGORY: word}), KNOWN
        )
        if isinstance(found, Sheet):
            for keyword in found.rules[0].keywords:
                assert decided(found, words=f"…{keyword}…").rule_id == found.rules[0].rule_id
            for path in found.rules[0].categories:
                assert decided(found, category=path).rule_id == found.rules[0].rule_id


class TestWarnings:
    def codes(self, *rows: dict[str, str]) -> list[tuple[str, int | None]]:
        return [(warning.code, warning.row) for warning in read(*rows).warnings]

    def test_no_catch_all(self):
        assert self.codes({columns.KIND: "咨询"}) == [("no_catch_all", None)]
        assert self.codes({columns.KIND: "咨询"}, {}) == []

    def test_rows_that_are_never_reached(self):
        again = {columns.KIND: "咨询、投诉"}
        assert self.codes({columns.KIND: "投诉、咨询"}, again, {}, again) == [
            ("never_reached", 3), ("never_reached", 5),
        ]  # fmt: skip

    def test_a_park_that_no_enterprise_is_in(self):
        assert self.codes({columns.PARK: "丙园"}, {}) == [("unknown_park", 2)]
