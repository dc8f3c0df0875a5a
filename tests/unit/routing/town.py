"""A small town, a case in every state brought there by the rules themselves, and moments to act in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.routing.domain import answers, expiry, rounds
from services.routing.domain.answers import Accept, Declination, Decline, RuleObjection
from services.routing.domain.decision import Changed, Decision, Refused, Unmoved
from services.routing.domain.dispatching import DispatchOutcome, Limits, dispatch
from services.routing.domain.matter import Case, RoutedRequest, RoutingState
from services.routing.domain.moment import CLOCK, ROUTING, Acting, Moment
from services.routing.domain.parties import Away, Enterprise, Liaison, Party, Ties, Town
from services.routing.domain.placing import (
    Wanted,
    catalogue_facts,
    need_of,
    place_each,
    placing_of,
    with_dispatch,
)
from shared.calendar.china import load_calendar
from shared.contracts.vocabulary import (
    DeclineReason,
    Difficulty,
    Kind,
    PartyKind,
    RequesterKind,
    RescindReason,
    Role,
    Ruling,
    Tier,
    Urgency,
)

CALENDAR = load_calendar(None, 2024, 2032)
LIMITS = Limits()
SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI).astimezone(UTC)
"""A working Monday, half an hour after the offices open, with no holiday for weeks."""

SYSTEM = Acting(Role.SYSTEM, "https://one-stop.example")
COORDINATOR = Acting(Role.COORDINATOR, "C001")
REQUESTER = Acting(Role.REQUESTER, "receipt")
L1 = Acting(Role.LIAISON, "L1")

IDS = ("L1", "L2", "L3")
ROADS = Party("D-ROAD", PartyKind.DEPARTMENT, "道路科")
DESK = Party("DESK", PartyKind.DESK, "镇级兜底受理台")
FIRM = Enterprise("九科园", Tier.KEY, Ties("L1", ("L2",)))
ROADWORKS = DispatchOutcome("R01", None, "D-ROAD", (), Difficulty.COMPLEX, None, None, None)

NOT_OURS = Declination(DeclineReason.NOT_OURS)
BETTER = Declination(DeclineReason.NOT_MY_ENTERPRISE, suggested_owner="L3", note="归丙管")


def town(away: Mapping[str, str | None] | None = None, capacity: int = 5) -> Town:
    """Three liaisons, a department and the fallback desk; `away` names who is absent and whom they left."""
    liaisons = {
        name: Liaison(Party(name, PartyKind.LIAISON, name), ROADS.id, capacity) for name in IDS
    }
    absences = {name: Away(None, deputy) for name, deputy in (away or {}).items()}
    return Town(liaisons, absences, {ROADS.id: ROADS}, DESK)


def moment(by: Acting = COORDINATOR, at: datetime = MONDAY) -> Moment:
    return Moment(at, by, CALENDAR, LIMITS)


def request(urgency: Urgency = Urgency.NORMAL) -> RoutedRequest:
    return RoutedRequest(
        requester_kind=RequesterKind.ENTERPRISE,
        requester_id="91310117MA1J0TEST1",
        requester_name="久禾精密",
        kind=Kind.HELP,
        category="基础设施/道路交通",
        urgency=urgency,
        summary="园区北门道路积水",
        detail="",
        received_at=MONDAY - timedelta(minutes=5),
    )


def wanted(changed: Changed, offer_id: str, there: Town) -> Wanted:
    """What the handler makes of a step that wants somebody, with a catalogue of one rule."""
    if placing_of(changed).decide_anew:
        facts = catalogue_facts(changed.matter.asked, FIRM)
        changed = with_dispatch(changed, dispatch(facts, ROADWORKS, 1, LIMITS), FIRM)
    return Wanted(changed, need_of(changed, FIRM, there), offer_id)


def placed(
    decision: Decision, offer_id: str, there: Town | None = None, at: datetime = MONDAY
) -> Case:
    """The case after a step that wanted somebody."""
    assert isinstance(decision, Changed), decision
    there = there or town()
    (done,) = place_each([wanted(decision, offer_id, there)], there, {}, moment(ROUTING, at))
    return done.case


def done(decision: Decision) -> Case:
    """The case after a step that wanted nobody."""
    assert isinstance(decision, Changed), decision
    assert decision.placing is None
    return decision.case


def outcome(decision: Decision) -> str:
    """A decision in words: its facts and `> cause` where somebody is wanted, `! why`, or `-`."""
    match decision:
        case Changed(emitted=emitted, placing=placing):
            facts = [type(each.fact).__name__ for each in emitted]
            return " ".join(facts + ([f"> {placing.cause}"] if placing else []))
        case Refused(why=why):
            state = getattr(why, "state", "")
            return f"! {type(why).__name__} {state}".strip()
        case Unmoved():
            return "-"


def offered(urgency: Urgency = Urgency.NORMAL) -> Case:
    """Offered to L1 as `o1`."""
    return placed(rounds.register("m", request(urgency), moment(SYSTEM)), "o1")


def accepted() -> Case:
    return done(answers.accept(offered(), Accept("o1"), moment(L1)))


def reviewed() -> Case:
    """L1 sent it back for L3, and a coordinator is to rule the objection `x1`."""
    return done(answers.decline(offered(), Decline("o1", BETTER, "x1"), moment(L1)))


def overruled() -> Case:
    """Offered to L1 once more, as `o2`."""
    step = RuleObjection("x1", Ruling.OVERRULED)
    return placed(answers.rule(reviewed(), step, moment()), "o2")


def lapsed() -> Case:
    """Offered to the next, L2, as `o2`, after a review without a ruling."""
    return placed(expiry.run_out(reviewed(), moment(CLOCK)), "o2")


def taken_back() -> Case:
    return done(rounds.end(offered(), RescindReason.WITHDRAWN, moment(REQUESTER)))


def completed() -> Case:
    """It ended with whom it was accepted by."""
    return done(rounds.end(accepted(), RescindReason.CLOSED, moment()))


def moot() -> Case:
    """It ended while an objection waited."""
    return done(rounds.end(reviewed(), RescindReason.MERGED, moment()))


def again() -> Case:
    """A second round, offered to L1 as `o2`."""
    reopening = rounds.reopen(completed(), rounds.Reopening(2), moment())
    return placed(reopening, "o2")


IN_STATE: dict[str, Callable[[], Case]] = {
    "offered": offered,
    "accepted": accepted,
    "reviewed": reviewed,
    "overruled": overruled,
    "taken_back": taken_back,
    "completed": completed,
    "moot": moot,
    "again": again,
}


def alone(case: Case) -> Case:
    """The case with the offers of its round, as it is loaded."""
    return replace(
        case, offers=tuple(each for each in case.offers if each.round == case.matter.round)
    )


def agrees(case: Case, *, wanted: bool) -> None:
    """The matter stands as its offers and objections say; it waits for a ruling, or because somebody is wanted."""
    holding = [each for each in case.offers if each.holding]
    assert [each.id for each in holding] == ([case.matter.offer_id] if holding else [])
    match case.matter.standing:
        case RoutingState.OFFERED:
            assert [each.state for each in holding] == ["offered"]
            assert case.due_at == holding[0].expires_at
        case RoutingState.TAKEN:
            assert [each.state for each in holding] == ["accepted"]
            assert (case.matter.owner_id, case.due_at) == (holding[0].party.id, None)
        case RoutingState.WAITING | RoutingState.ENDED:
            assert (holding, case.matter.offer_id) == ([], None)
    if case.matter.standing is RoutingState.WAITING:
        assert wanted or (case.open_objection and case.due_at == case.open_objection.review_at)
