"""What a catalogue decides of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.catalogue import columns
from services.routing.catalogue.sheet import Faulty, Sheet, read_sheet
from services.routing.catalogue.table import Catalogue, decision_model
from services.routing.domain.dispatching import Dispatched, Facts, Limits
from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency
from tests.support.spelling import TEXTS, spellings
from tests.unit.routing.test_catalogue import KNOWN, decided, read, sheet


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


class TestFolding:
    def test_case_42_both_spellings_of_a_keyword_come_to_the_same_rule(self):
        rows = ({columns.KEYWORDS: "5号门LED屏", columns.LEAD: "D2"}, {columns.LEAD: "D3"})
        for words in (
            "５号门ＬＥＤ屏不亮",
            "5号门LED屏不亮",
            "5号门 led 屏不亮",
            "5号门\u200bLED屏不亮",
        ):
            assert decided(read(*rows), words=words).lead_department == "D2"

    @given(TEXTS, st.data())
    def test_a_keyword_is_found_however_both_are_spelled(self, keyword: str, data: st.DataObject):
        written = data.draw(spellings(keyword, spaced=False))
        words = f"门口{data.draw(spellings(keyword))}很多"
        rows = ({columns.KEYWORDS: written, columns.LEAD: "D2"}, {columns.LEAD: "D3"})
        assert decided(read(*rows), words=words).lead_department == "D2"

    @given(TEXTS, st.data())
    def test_a_category_and_a_park_are_found_however_they_are_spelled(
        self, name: str, data: st.DataObject
    ):
        row = {columns.CATEGORY: f"{name}/甲", columns.PARK: name, columns.LEAD: "D2"}
        catalogue = read(row, {columns.LEAD: "D3"})
        category = f"{data.draw(spellings(name))}/甲／乙"
        facts = {"category": category, "park": data.draw(spellings(name))}
        assert decided(catalogue, **facts).lead_department == "D2"
        assert decided(catalogue, **facts).category == category

    def test_labels_and_departments_are_read_however_they_are_spelled(self):
        row = {
            columns.KIND: "隐 患",
            columns.TIER: "重点\u200b",
            columns.LEAD: "ｄ２",
            columns.CO: "D 3",
        }
        [rule] = read(row).rules
        assert (rule.kinds, rule.tiers) == ((Kind.HAZARD,), (Tier.KEY,))
        assert (rule.lead_department, rule.co_departments) == ("D2", ("D3",))

    def test_the_end_of_a_line_and_the_beginning_of_the_next_are_no_keyword(self):
        rows = ({columns.KEYWORDS: "漏水", columns.LEAD: "D2"}, {columns.LEAD: "D3"})
        assert decided(read(*rows), words="管道漏\n水压不足").lead_department == "D3"

    @pytest.mark.parametrize("column", [columns.NOTE, columns.KEYWORDS, columns.RULE])
    def test_case_88_no_cell_of_a_catalogue_holds_nul(self, column: str):
        found = read_sheet(sheet({column: "a\0b"}), KNOWN)
        assert isinstance(found, Faulty)
        assert [(fault.row, fault.column) for fault in found.faults] == [(2, column)]
