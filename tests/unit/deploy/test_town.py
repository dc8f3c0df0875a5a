"""The sample town is whole: everybody named exists, every request can be routed, and every story can be played."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise, zip_longest
from typing import Any

import pytest

from deploy.demo.steps import READY
from deploy.demo.town import COORDINATORS, FOLDER, Story, catalogue, day, parties, stories, table
from services.followup.domain.access import RULES
from services.followup.domain.access import Step as WorkStep
from services.routing.catalogue.sheet import Known, Sheet, read_sheet
from services.routing.catalogue.table import Catalogue
from services.routing.domain.dispatching import Facts, Limits
from shared.contracts import uscc
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import (
    DeclineReason,
    MilestoneState,
    Outcome,
    Path,
    ReopenCause,
    Ruling,
    Tier,
)

TODAY = date(2026, 11, 24)
STORIES = stories()
ENTERPRISES = {row["uscc"]: row for row in table("enterprises")}
DEPARTMENTS = {row["id"] for row in table("departments")}
LIAISONS = {row["id"] for row in table("liaisons")}
TIES = table("ties")
WRITTEN = ("note", "text", "answer", "words", "reason", "evidence", "blocker")

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def open_ties(role: str) -> dict[str, str]:
    """Who is tied to each enterprise today."""
    return {
        row["uscc"]: row["liaison_id"] for row in TIES if row["role"] == role and not row["until"]
    }


def steps_of(what: str) -> Iterator[Mapping[str, Any]]:
    return (step for story in STORIES for step in story.steps if step["do"] == what)


def words_of(story: Story) -> list[str]:
    """Everything that is written in a story for people to read."""
    sent = story.submission
    found = [sent["summary"], sent["detail"], sent.get("location", "")]
    found += [step[name] for step in story.steps for name in WRITTEN if name in step]
    return found


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
    away = [row for row in rows if day(row["from"], TODAY) <= TODAY < day(row["until"], TODAY)]
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


# The stories

OPEN = ("received", "awaiting_dispatch", "offered", "in_progress", "on_hold", "handled")
AFTER = {
    "accept": "in_progress",
    "hold": "on_hold",
    "resume": "in_progress",
    "handle": "handled",
    "close": "closed",
    "withdraw": "withdrawn",
}


def state_after(step: Mapping[str, Any], following: Mapping[str, Any] | None) -> str | None:
    """The state that a step leads to, where it leads to another."""
    if step["do"] == "decline":
        ruled = following is not None and following["do"] == "ruling"
        return "awaiting_dispatch" if ruled else "offered"
    if step["do"] in ("ruling", "reopen"):
        return "offered"
    return AFTER.get(step["do"])


@each_story
def test_a_story_takes_its_steps_where_they_are_possible_and_ends_as_it_says(
    story: Story,
) -> None:
    state = "offered"
    for step, following in zip_longest(story.steps, story.steps[1:]):
        assert state in READY.get(step["do"], ("in_progress",)), step
        state = state_after(step, following) or state
    assert state == story.ends


@each_story
def test_a_story_keeps_the_rules_of_the_chart_and_of_the_return_visit(story: Story) -> None:
    chart: list[list[Any]] = []
    visited = False
    for step in story.steps:
        match step["do"]:
            case "plan":
                chart += [[each["required"], "planned"] for each in step["milestones"]]
            case "milestone":
                assert chart[step["number"] - 1][1] not in ("done", "waived")
                chart[step["number"] - 1][1] = step["state"]
            case "handle":
                settled = all(state in ("done", "waived") for required, state in chart if required)
                assert settled
                assert (step["path"] == "charted") == bool(chart)
                visited = False
            case "return_visit" | "answer":
                visited = step.get("reached", True)
            case "close":
                assert visited, "nothing is closed without an answer"
            case _:
                pass


def test_steps_speak_the_words_of_the_interface() -> None:
    known = LIAISONS | DEPARTMENTS
    assert {step["outcome"] for step in steps_of("handle")} <= set(Outcome)
    assert {step["path"] for step in steps_of("handle")} == set(Path)
    assert {step["state"] for step in steps_of("milestone")} <= set(MilestoneState)
    assert {step["cause"] for step in steps_of("reopen")} <= set(ReopenCause)
    assert {step["ruling"] for step in steps_of("ruling")} == set(Ruling)
    assert {step["reason_code"] for step in steps_of("decline")} <= set(DeclineReason)
    suggested = {step.get("suggested_owner") for step in steps_of("decline")} - {None}
    assert suggested <= known
    owners = {each["owner_department"] for step in steps_of("plan") for each in step["milestones"]}
    assert owners <= DEPARTMENTS
    assert {step["by"] for step in steps_of("return_visit")} <= set(COORDINATORS)


def test_the_player_takes_a_step_only_where_followup_allows_it() -> None:
    words = {"return_visit": WorkStep.RETURN_VISIT, "milestone": WorkStep.MILESTONE}
    ours = {"accept", "decline", "ruling", "answer", "withdraw"}
    for do in {step["do"] for story in STORIES for step in story.steps} - ours:
        rule = RULES[words.get(do) or WorkStep(do.replace("_", "-"))]
        # A close where the answer has closed already is passed over.
        assert set(READY.get(do, ("in_progress",))) - {"closed"} <= rule.states


def test_most_is_settled_at_once_and_the_wall_is_alive() -> None:
    total = len(STORIES)
    handled = Counter(
        "charted" if "charted" in story.covers else "instant"
        for story in STORIES
        if any(step["do"] == "handle" for step in story.steps)
    )
    assert 0.78 <= handled["instant"] / total <= 0.90
    ends = Counter(story.ends for story in STORIES)
    assert ends["closed"] / total >= 0.8
    assert ends["in_progress"] >= 8
    assert ends["offered"] >= 2
    assert ends["withdrawn"] >= 3
    assert ends["on_hold"] >= 1
    on_the_wall = [
        story for story in STORIES if "charted" in story.covers and story.ends == "in_progress"
    ]
    assert len(on_the_wall) >= 8


def test_the_waiting_offers_are_those_of_l001() -> None:
    primary = open_ties("primary")
    waiting = [story for story in STORIES if story.ends == "offered"]
    assert {primary[story.submission["requester"]["id"]] for story in waiting} == {"L001"}


def test_the_rates_that_come_out_are_believable() -> None:
    answers = [
        step for what in ("return_visit", "answer") for step in steps_of(what) if "solved" in step
    ]
    responded = sum(step.get("answered", True) for step in answers) / len(answers)
    solved = sum(step["solved"] for step in answers) / len(answers)
    satisfied = sum(step["satisfaction"] >= 3 for step in answers) / len(answers)
    assert 0.985 <= responded < 1
    assert 0.88 <= solved <= 0.92
    assert 0.92 <= satisfied <= 0.95
    assert {step["satisfaction"] for step in answers} == {1, 2, 3, 4, 5}
    assert any(not step["reached"] for step in steps_of("return_visit"))


def test_the_ways_a_matter_can_turn_all_come_up() -> None:
    causes = Counter(step["cause"] for step in steps_of("reopen"))
    assert causes["dissatisfied"] >= 1
    assert causes["recurred"] >= 1
    outcomes = Counter(step["outcome"] for step in steps_of("handle"))
    assert outcomes["explained"] >= 3
    assert outcomes["partly_resolved"] >= 3
    for name in ("not_feasible", "out_of_scope", "duplicate"):
        assert outcomes[name] >= 1
    assert sum(1 for _ in steps_of("decline")) >= 4
    assert sum(1 for _ in steps_of("hold")) >= 4


# The language


def test_phones_and_codes_are_clearly_invented() -> None:
    phone = re.compile(r"000-555\d-\d{4}")
    for story in STORIES:
        assert phone.fullmatch(story.submission["requester"]["contact"]["phone"])
    for row in table("departments"):
        assert phone.fullmatch(row["phone_desk"])
    for file in FOLDER.iterdir():
        text = phone.sub("", file.read_text(encoding="utf-8-sig"))
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", text), "a mobile number"
        assert not re.search(r"(?<!\d)0\d{2,3}-\d{7,8}", text), "a telephone number"
        assert not re.search(r"(?<!\d)\d{17}[\dX]", text), "an identity card"


def test_the_sources_are_on_names_that_nobody_can_own() -> None:
    assert all(re.match(r"https://[a-z]+\.luwei\.example$", story.key[0]) for story in STORIES)


def test_nobody_repeats_the_same_phrase() -> None:
    """Eleven characters in a row are a phrase; more than two stories must not share one."""
    seen: Counter[str] = Counter()
    for story in STORIES:
        seen.update(
            {
                text[at : at + 11]
                for text in words_of(story)
                if text != story.submission.get("location")
                for at in range(len(text) - 10)
            }
        )
    assert [phrase for phrase, times in seen.items() if times > 2] == []


@each_story
def test_a_story_is_told_in_proper_chinese(story: Story) -> None:
    for text in filter(None, words_of(story)):
        assert not re.search(r"[\u4e00-\u9fff][,;?!:]|[,;?!:][\u4e00-\u9fff]", text), text
        assert "  " not in text
        assert text == text.strip()
    assert len(story.submission["detail"]) >= 20
    for step in story.steps:
        assert len(step.get("answer", "。" * 15)) >= 15
        assert step.get("answer", "。")[-1] in "。！？”"
