"""The dispatch catalogue's file: what can be read, what is wrong with it, and what its table then decides."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.catalogue import columns
from services.routing.catalogue.sheet import Faulty, Known, Sheet, read_sheet
from services.routing.catalogue.table import Catalogue, decision_model
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
            (b"\xff\xfe\x00\x81", "encoding"),
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


class TestDeciding:
    ROWS = (
        {columns.CATEGORY: "基础设施/道路", columns.KEYWORDS: "道路、坑洼", columns.LEAD: "D1"},
        {columns.KEYWORDS: "停车", columns.LEAD: "D2"},
        {columns.KIND: "隐患、投诉", columns.PARK: "甲园", columns.LEAD: "D3"},
        {columns.TIER: "重点", columns.URGENCY: "紧急", columns.LEAD: "D3", columns.CO: "D1、D2"},
    )

    @pytest.mark.parametrize(
        ("facts", "rule"),
        [
            ({"category": "基础设施/道路"}, "R1"),
            ({"category": "基础设施/道路/积水/北门"}, "R1"),
            ({"category": "基础设施/道路交通"}, None),
            ({"category": "基础设施"}, None),
            ({"words": "门口坑洼很多"}, "R1"),
            ({"words": "停车难，道路也窄"}, "R1"),
            ({"words": "停车难"}, "R2"),
            # Keywords are for requests that name no category.
            ({"category": "别的", "words": "停车难"}, None),
            ({"kind": Kind.HAZARD, "park": "甲园"}, "R3"),
            ({"kind": Kind.HAZARD, "park": "乙园"}, None),
            ({"kind": Kind.HAZARD}, None),
            ({"kind": Kind.ASK, "park": "甲园"}, None),
            ({"tier": Tier.KEY, "urgency": Urgency.URGENT}, "R4"),
            ({"tier": Tier.KEY}, None),
            ({"urgency": Urgency.URGENT}, None),
            ({}, None),
        ],
    )
    def test_the_first_row_that_fits(self, facts, rule: str | None):
        assert decided(read(*self.ROWS), **facts).rule_id == rule

    def test_the_rows_are_read_from_the_top(self):
        narrow, wide = {columns.KIND: "求助", columns.LEAD: "D2"}, {}
        assert decided(read(narrow, wide)).lead_department == "D2"
        assert decided(read(wide, narrow)).lead_department == "D1"

    def test_all_outcomes_come_through(self):
        found = decided(
            read(
                {
                    columns.LEAD: "D3", columns.CO: "D1、D2", columns.DIFFICULTY: "复杂",
                    columns.RAISED: "紧急", columns.ACCEPT_HOURS: "0.5", columns.HANDLE_DAYS: "7",
                    columns.CATEGORY: "甲/乙", columns.KEYWORDS: "水",
                }
            ),
            words="漏水",
        )  # fmt: skip
        assert found == Dispatched(
            1, "R1", "甲/乙", "D3", ("D1", "D2"), Urgency.URGENT, Difficulty.COMPLEX, 30, 7
        )

    @pytest.mark.parametrize("word", ["a'b", 'a"b', "a\\b", "{{x}}", "`", "a\tb", "$", "#", "100%"])
    def test_words_that_mean_something_to_the_table_mean_themselves(self, word: str):
        rows = ({columns.CATEGORY: word, columns.KEYWORDS: word}, {columns.LEAD: "D2"})
        assert decided(read(*rows), category=word).rule_id == "R1"
        assert decided(read(*rows), words=f"x{word}y").rule_id == "R1"
        assert decided(read(*rows), category=f"{word}x").rule_id == "R2"

    def test_keywords_are_found_in_any_case(self):
        assert decided(read({columns.KEYWORDS: "WiFi"}), words="厂区wifi断了").rule_id == "R1"

    def test_the_same_facts_are_asked_once(self):
        catalogue = Catalogue(1, read(*self.ROWS).rules, Limits())
        facts = Facts("基础设施/道路", Kind.HELP, Urgency.NORMAL, park="乙园")
        other_park = Facts("基础设施/道路", Kind.HELP, Urgency.NORMAL, park="丙园")
        assert catalogue.dispatch(facts) is catalogue.dispatch(facts)
        # No row looks at either park.
        assert catalogue.dispatch(facts) is catalogue.dispatch(other_park)

    @given(
        rules=st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    columns.CATEGORY: st.sampled_from(["甲", "甲/乙", "丙"]),
                    columns.KEYWORDS: st.sampled_from(["漏水", "停电", "漏水、停电"]),
                    columns.KIND: st.sampled_from(["求助", "投诉", "求助、投诉"]),
                    columns.PARK: st.sampled_from(["甲园", "乙园"]),
                    columns.TIER: st.sampled_from(["重点", "规上"]),
                    columns.URGENCY: st.sampled_from(["特急", "一般"]),
                },
            ),
            min_size=1,
            max_size=5,
        ),
        asked=st.lists(
            st.builds(
                Facts,
                st.sampled_from([None, "甲", "甲/乙", "甲/乙/丁", "甲乙", "丙"]),
                st.sampled_from([Kind.HELP, Kind.COMPLAINT]),
                st.sampled_from(Urgency),
                st.sampled_from([None, "甲园", "乙园", "丙园"]),
                st.sampled_from([None, Tier.KEY, Tier.GENERAL]),
                st.sampled_from(["", "漏水", "停电漏水", "路灯"]),
            ),
            min_size=2,
            max_size=8,
        ),
    )
    def test_what_was_decided_for_others_changes_no_decision(
        self, rules: list[dict[str, str]], asked: list[Facts]
    ):
        found = read_sheet(sheet(*rules), KNOWN)
        assert isinstance(found, Sheet)
        catalogue = Catalogue(1, found.rules, Limits())
        for facts in asked:
            assert catalogue.dispatch(facts) == Catalogue(1, found.rules, Limits()).dispatch(facts)

    def test_an_empty_catalogue_decides_nothing(self):
        found = Catalogue(None, (), Limits()).dispatch(Facts(None, Kind.HELP, Urgency.NORMAL))
        assert (found.catalogue_version, found.rule_id, found.lead_department) == (None, None, None)

    def test_the_table_is_read_by_other_tools_too(self):
        model = decision_model(read(*self.ROWS).rules)
        (table,) = [node for node in model["nodes"] if node["type"] == "decisionTableNode"]
        assert table["content"]["hitPolicy"] == "first"
        assert [row["then_rule_id"] for row in table["content"]["rules"]] == [
            '"R1"', '"R2"', '"R3"', '"R4"',
        ]  # fmt: skip
