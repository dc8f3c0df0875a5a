"""The sample town is whole: its codes are valid, everybody named exists, and every request finds its rule."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from deploy.sample_town.town import COORDINATORS, Story, catalogue, day, parties, table
from services.routing.catalogue.sheet import Known, Sheet, read_sheet
from services.routing.catalogue.table import Catalogue
from services.routing.domain.dispatching import Facts, Limits
from shared.contracts.fields import uscc
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Tier
from tests.unit.deploy.told import (
    DEPARTMENTS,
    ENTERPRISES,
    LIAISONS,
    STORIES,
    TIES,
    TODAY,
    each_story,
    open_ties,
)

# The directory


def test_the_codes_of_the_enterprises_are_valid_and_no_real_ones() -> None:
    codes = [row["uscc"] for row in table("enterprises")]
    assert len(codes) == len(set(codes)) >= 66
    assert all(uscc.is_valid(code) for code in codes)
    # No administrative division of China begins with 99.
    assert all(code[2:4] == "99" for code in codes)
    assert len({row["name"] for row in table("enterprises")}) == len(codes)


def test_six_parks_have_ten_enterprises_each_and_every_tier() -> None:
    parks = Counter(row["park"] for row in ENTERPRISES.values())
    assert len(parks) == 6
    assert min(parks.values()) >= 10
    assert {row["tier"] for row in ENTERPRISES.values()} == set(Tier)


def test_the_parties_are_those_of_the_files_and_two_coordinators() -> None:
    found = parties()
    assert len({party for _, party in found}) == len(found)
    by_role = Counter(role for role, _ in found)
    assert by_role["liaison"] == 15
    assert by_role["department"] >= 12
    assert by_role["coordinator"] == len(COORDINATORS) == 2
    assert {f"L{number:03d}" for number in range(1, 16)} == LIAISONS
    assert {row["department_id"] for row in table("liaisons")} <= DEPARTMENTS


def test_l001_has_the_first_park_and_with_it_the_first_enterprise() -> None:
    primary = open_ties("primary")
    first = min(ENTERPRISES)
    park = ENTERPRISES[first]["park"]
    assert park == table("enterprises")[0]["park"]
    assert {primary[code] for code, row in ENTERPRISES.items() if row["park"] == park} == {"L001"}


def test_ties_name_known_parties_and_one_primary_at_a_time() -> None:
    assert len({row["id"] for row in TIES}) == len(TIES)
    assert {row["uscc"] for row in TIES} <= ENTERPRISES.keys()
    assert {row["liaison_id"] for row in TIES} == LIAISONS
    primaries = [row for row in TIES if row["role"] == "primary"]
    for code in ENTERPRISES:
        mine = sorted(
            (row for row in primaries if row["uscc"] == code), key=lambda row: row["from"]
        )
        for earlier, later in pairwise(mine):
            assert earlier["until"], "only the last primary may be without an end"
            assert date.fromisoformat(earlier["until"]) < date.fromisoformat(later["from"])
    assert all(row["from"] <= TODAY.isoformat() and row["reason"] for row in TIES)


def test_most_enterprises_have_a_deputy_a_few_none_and_two_nobody() -> None:
    primary, deputy = open_ties("primary"), open_ties("deputy")
    assert len(ENTERPRISES.keys() - primary.keys()) == 2
    assert 3 <= len(primary.keys() - deputy.keys()) <= 6
    assert all(primary[code] != liaison for code, liaison in deputy.items())


def test_somebody_is_away_today_with_a_deputy_named_and_with_none() -> None:
    rows = table("absences")
    assert {row["liaison_id"] for row in rows} <= LIAISONS - {"L001"}
    away = [row for row in rows if day(row["from"], TODAY) <= TODAY <= day(row["until"], TODAY)]
    assert {bool(row["deputy_id"]) for row in away} == {True, False}
    absent = {row["liaison_id"] for row in away}
    for row in rows:
        assert day(row["from"], TODAY) < day(row["until"], TODAY)
        assert row["deputy_id"] in LIAISONS - absent - {row["liaison_id"]} | {""}


# The dispatch catalogue


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    parks = {row["park"] for row in ENTERPRISES.values()}
    found = read_sheet(catalogue(), Known(DEPARTMENTS, parks))
    assert isinstance(found, Sheet), found
    return found


def test_the_catalogue_has_rules_that_can_all_be_reached(sheet: Sheet) -> None:
    assert len(sheet.rules) >= 50
    assert len({path for rule in sheet.rules for path in rule.categories}) >= 30
    # What fits no rule goes to the fallback desk, and is meant to.
    assert {remark.code for remark in sheet.warnings} == {"no_catch_all"}
    assert {rule.lead_department for rule in sheet.rules} == DEPARTMENTS


def facts_of(story: Story) -> Facts:
    sent = Submission.model_validate(story.submission)
    enterprise = ENTERPRISES.get(sent.requester.id)
    return Facts(
        category=sent.category,
        kind=sent.kind,
        urgency=sent.urgency,
        park=enterprise["park"] if enterprise else None,
        tier=Tier(enterprise["tier"]) if enterprise else None,
        words=f"{sent.summary}\n{sent.detail}",
    )


def test_every_request_finds_its_rule_or_is_meant_for_the_fallback_desk(sheet: Sheet) -> None:
    asked = Catalogue(1, sheet.rules, Limits())
    for story in STORIES:
        found = asked.dispatch(facts_of(story))
        assert (found.rule_id is None) == ("fallback" in story.covers), story.name


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("种菜", "市容绿化/毁绿种菜"),
        ("开票", "税务"),
        ("从业资格证", "营商服务/政务办理"),
        ("社会组织年检", "社区治理/社会组织"),
        ("水性油墨", "生态环境/绿色改造"),
        ("盐酸", "生态环境/固废处置"),
        ("无欠税证明", "营商服务/政务办理"),
    ],
)
def test_a_request_without_a_category_is_told_by_its_words(
    sheet: Sheet, word: str, category: str
) -> None:
    story = next(
        story
        for story in STORIES
        if "category" not in story.submission
        and any(word in text for text in (story.submission["summary"], story.submission["detail"]))
    )
    found = Catalogue(1, sheet.rules, Limits()).dispatch(facts_of(story))
    assert found.category == category


# The requests


def test_there_are_enough_requests_and_each_comes_once() -> None:
    assert len(STORIES) >= 160
    assert len({story.key for story in STORIES}) == len(STORIES)
    assert len({story.submission["summary"] for story in STORIES}) == len(STORIES)
    assert {story.via for story in STORIES} == {"http", "kafka", "batch"}


@each_story
def test_a_submission_is_valid_and_its_enterprise_known(story: Story) -> None:
    sent = Submission.model_validate(story.submission)
    if sent.requester.kind == "enterprise":
        assert ENTERPRISES[sent.requester.id]["name"] == sent.requester.name


def test_every_kind_channel_and_requester_comes_up() -> None:
    for name, least in (("kind", 6), ("channel", 6), ("urgency", 2)):
        assert len({story.submission.get(name) for story in STORIES}) >= least
    kinds = Counter(story.submission["requester"]["kind"] for story in STORIES)
    assert set(kinds) == {"enterprise", "resident", "organisation"}
    asked = {story.submission["requester"]["id"] for story in STORIES}
    assert ENTERPRISES.keys() <= asked, "every enterprise asks something"


def test_every_line_of_the_article_is_covered_and_no_cover_is_unknown() -> None:
    covered = Counter(cover for story in STORIES for cover in story.covers)
    assert covered.keys() == {row["cover"] for row in table("covers")}


def test_several_firms_ask_for_the_park_road_and_a_charted_plan_answers_them() -> None:
    road = [story for story in STORIES if "park_road" in story.covers]
    assert len({story.submission["requester"]["id"] for story in road}) >= 5
    assert any("charted" in story.covers for story in road)


def test_parking_goes_through_its_four_steps() -> None:
    charts = [
        [milestone["title"] for milestone in step["milestones"]]
        for story in STORIES
        if "parking_four_steps" in story.covers
        for step in story.steps
        if step["do"] == "plan"
    ]
    assert charts
    assert all(chart == ["意见征询", "设计勘察", "工程招标", "施工建设"] for chart in charts)
