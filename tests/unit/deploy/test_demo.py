"""How the player reads a story: what is left of it, who takes a step, and which public call that is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from deploy.sample_town.__main__ import summary
from deploy.sample_town.arrivals import event_id, groups
from deploy.sample_town.calls import DemoTokens
from deploy.sample_town.playing import Played
from deploy.sample_town.steps import allows, call_of, ruling_of, steps_taken, without_visitor
from deploy.sample_town.town import COORDINATORS, Story, dated, day, parties

ENDPOINTS = {"tokens": {"system": "s", "liaison": "l", "coordinator": "c", "operator": "o"}}


def matter(state: str = "in_progress", **changes: Any) -> dict[str, Any]:
    return {
        "matter_id": "m1",
        "state": state,
        "version": 7,
        "round": 1,
        "offer": None,
        "owner": {"id": "L001", "kind": "liaison", "name": "简听澜"},
        "milestones": [{"id": "k1"}, {"id": "k2"}],
    } | changes


def story(via: str, name: str) -> Story:
    return Story({"source": "https://a.example", "source_ref": name}, via, (), (), "offered")


INSTANT = [
    {"do": "accept"},
    {"do": "handle", "outcome": "resolved", "answer": "好了", "path": "instant"},
    {"do": "return_visit", "by": "C001", "reached": False},
    {"do": "return_visit", "by": "C001", "reached": True, "solved": True, "satisfaction": 5},
    {"do": "close"},
]


@pytest.mark.parametrize(
    ("seen", "taken"),
    [
        ([], 0),
        (["matter.opened", "matter.offered"], 0),
        (["matter.opened", "matter.offered", "matter.taken"], 1),
        (["matter.taken", "matter.reminded", "matter.handled"], 2),
        (["matter.taken", "matter.handled", "matter.visited"], 3),
        (["matter.taken", "matter.handled", "matter.visited", "matter.visited"], 4),
        (
            ["matter.taken", "matter.handled", "matter.visited", "matter.visited", "matter.closed"],
            5,
        ),
    ],
)
def test_what_the_history_has_seen_is_not_done_again(seen: list[str], taken: int) -> None:
    assert steps_taken(INSTANT, seen) == taken


def test_a_ruling_is_past_when_somebody_is_offered_the_matter_again() -> None:
    steps = [{"do": "decline"}, {"do": "ruling"}, {"do": "accept"}]
    assert steps_taken(steps, ["matter.offered", "matter.returned", "matter.waiting"]) == 1
    assert steps_taken(steps, ["matter.offered", "matter.returned", "matter.offered"]) == 2
    seen = ["matter.returned", "matter.waiting", "matter.offered", "matter.taken"]
    assert steps_taken(steps, seen) == 3


def test_a_step_of_the_second_round_is_not_mistaken_for_one_of_the_first() -> None:
    steps = [{"do": "accept"}, {"do": "handle"}, {"do": "reopen"}, {"do": "accept"}]
    assert steps_taken(steps, ["matter.taken", "matter.handled", "matter.reopened"]) == 3


def test_an_offer_is_answered_by_whom_it_was_made_to() -> None:
    offered = matter("offered", owner=None, offer={"offer_id": "o1", "party": {"id": "L004"}})
    assert allows(offered, {"do": "accept"})
    assert not allows(matter("offered", offer=None), {"do": "accept"})
    step = {"do": "decline", "reason_code": "not_ours", "suggested_owner": "D-MKT", "note": "…"}
    call = call_of(step, offered, "r1")
    assert (call.path, call.party, call.version) == ("/routing/offers/o1/decline", "L004", None)
    assert call.body == {"reason_code": "not_ours", "suggested_owner": "D-MKT", "note": "…"}


def test_the_fallback_desk_is_worked_by_the_coordinator_who_makes_no_visits() -> None:
    at_the_desk = matter("offered", offer={"offer_id": "o1", "party": "DESK"})
    assert call_of({"do": "accept"}, at_the_desk, "r1").party == COORDINATORS[1]
    owned = matter(owner={"id": "DESK", "kind": "desk", "name": "受理台"})
    assert call_of({"do": "handle"}, owned, "r1").party == COORDINATORS[1]


@pytest.mark.parametrize(
    ("step", "path", "party"),
    [
        ({"do": "first_contact", "note": "…"}, "/followup/matters/m1/first-contact", "L001"),
        (
            {"do": "milestone", "number": 2, "state": "done"},
            "/followup/matters/m1/milestones/k2",
            "L001",
        ),
        (
            {"do": "milestone", "number": 1, "state": "waived"},
            "/followup/matters/m1/milestones/k1",
            "C001",
        ),
        (
            {"do": "return_visit", "by": "C002", "reached": False},
            "/followup/matters/m1/return-visit",
            "C002",
        ),
        ({"do": "reopen", "cause": "recurred"}, "/followup/matters/m1/reopen", "C001"),
        ({"do": "close"}, "/followup/matters/m1/close", "C001"),
    ],
)
def test_the_work_is_done_by_its_owner_and_the_rest_by_a_coordinator(
    step: dict[str, Any], path: str, party: str
) -> None:
    call = call_of(step, matter(), "r1")
    assert (call.path, call.party, call.version) == (path, party, 7)
    assert not {"do", "by", "number"} & call.body.keys()


def test_the_requester_needs_the_receipt_and_no_token() -> None:
    call = call_of({"do": "answer", "solved": True, "satisfaction": 5}, matter(), "r1")
    assert (call.path, call.party) == ("/intake/receipts/r1/answer", None)


def test_whoever_handled_a_matter_does_not_visit_it() -> None:
    by_hand = matter("handled", handling={"handler": {"role": "coordinator", "party": "C001"}})
    visit = {"do": "return_visit", "by": "C001", "reached": True, "solved": True}
    assert call_of(visit, by_hand, "r1").party == "C002"
    by_its_owner = matter("handled", handling={"handler": {"role": "liaison", "party": "L001"}})
    assert call_of(visit, by_its_owner, "r1").party == "C001"


def test_a_ruling_names_the_objection() -> None:
    call = ruling_of({"do": "ruling", "ruling": "upheld", "note": "同意"}, "j1")
    assert call.path == "/routing/objections/j1/ruling"
    assert call.body == {"ruling": "upheld", "note": "同意"}


def test_where_no_second_person_can_visit_the_requester_answers() -> None:
    visit = {"do": "return_visit", "by": "C001", "reached": True, "answered": False}
    said = {"solved": True, "satisfaction": 3, "words": "修好了"}
    assert without_visitor(visit | said) == {"do": "answer", **said}
    assert without_visitor(INSTANT[2]) is None
    assert without_visitor(INSTANT[0]) == INSTANT[0]


def test_whoever_has_no_token_is_acted_for_by_the_coordinator() -> None:
    alone = DemoTokens.of(ENDPOINTS, {})
    assert (alone.acting("L001"), alone.acting("L002"), alone.acting("C001")) == ("l", "c", "c")
    assert not alone.complete
    everybody = DemoTokens.of(ENDPOINTS, {party: f"of {party}" for _, party in parties()})
    assert everybody.acting("D-FIRE") == "of D-FIRE"
    assert everybody.complete


def test_days_ahead_end_with_the_working_day_in_china() -> None:
    today = date(2026, 11, 24)
    assert day("+5d", today) == date(2026, 11, 29)
    assert day("2026-03-01", today) == date(2026, 3, 1)
    with pytest.raises(ValueError, match="5d"):
        day("5d", today)
    late = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    plan = {"milestones": [{"title": "第一步", "due_at": "+1d"}], "note": "明天 +1d 再说"}
    assert dated(plan, late) == {
        "milestones": [{"title": "第一步", "due_at": "2026-11-26T17:00:00+08:00"}],
        "note": "明天 +1d 再说",
    }


def test_neighbours_of_a_batch_are_sent_together() -> None:
    told = [
        story(via, str(number))
        for number, via in enumerate(["http", "batch", "batch", "kafka", "kafka", "batch"])
    ]
    assert [[one.name for one in group] for group in groups(told)] == [
        ["0"],
        ["1", "2"],
        ["3"],
        ["4"],
        ["5"],
    ]


def test_the_same_submission_is_always_the_same_event() -> None:
    assert event_id(story("kafka", "1")) == event_id(story("batch", "1"))
    assert event_id(story("kafka", "1")) != event_id(story("kafka", "2"))


def test_the_summary_says_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_LANG", "zh_CN")
    played = Played(steps=7)
    played.came_by.update({"http": 3, "kafka": 1})
    played.stand.update({"closed": 2, "offered": 1})
    played.troubles.append(("WS-1", "Stuck: accept: handled"))
    told = "\n".join(summary(played))
    assert "已提交 4 件：HTTP 单件 3 · Kafka 1" in told
    assert "共跟进 3 件，本次办理 7 步，现在的状态：已销号 2 · 待签收 1" in told
    assert "WS-1  Stuck: accept: handled" in told
