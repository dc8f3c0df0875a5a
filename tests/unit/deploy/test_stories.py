"""Every story of the sample town can be played, its numbers are believable, and it reads like a town's day."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from deploy.sample_town.steps import READY
from deploy.sample_town.town import COORDINATORS, FOLDER, Story, table
from services.followup.domain.access import RULES
from services.followup.domain.access import Step as WorkStep
from shared.contracts.vocabulary import (
    DeclineReason,
    MilestoneState,
    Outcome,
    Path,
    ReopenCause,
    Ruling,
)
from tests.unit.deploy.told import (
    DEPARTMENTS,
    LIAISONS,
    STORIES,
    each_story,
    open_ties,
    steps_of,
    words_of,
)

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
        assert set(READY.get(do, ("in_progress",))) <= rule.states


def test_most_is_settled_at_once_and_the_wall_is_alive() -> None:
    total = len(STORIES)
    handled = Counter(
        "charted" in story.covers
        for story in STORIES
        if any(step["do"] == "handle" for step in story.steps)
    )
    assert 0.84 <= handled[False] / handled.total() <= 0.90
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
