"""A matter in every state, brought there by the rules themselves, and moments to act in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.followup.domain import arrivals
from services.followup.domain.arrivals import Acceptance, Offering, Registration, Wait
from services.followup.domain.decision import Changed, Decision
from services.followup.domain.facts import RequestingParty
from services.followup.domain.limits import LimitTable
from services.followup.domain.matter import DispatchDecision, Matter, Offer, Party
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.steps import chart, links, resolution, work
from shared.calendar.china import load_calendar
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    Difficulty,
    Kind,
    MatterState,
    Outcome,
    PartyKind,
    PendingReason,
    RequesterKind,
    Role,
    Urgency,
)

CALENDAR = load_calendar(None, 2024, 2032)
TOWN = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=TOWN).astimezone(UTC)
"""A working Monday at 10:00, with no holiday for weeks."""

SYSTEM = ActingParty(Role.SYSTEM, "https://one-stop.example")
REQUESTER = ActingParty(Role.REQUESTER, "request-1")
LIAISON = ActingParty(Role.LIAISON, "L001")
STRANGER = ActingParty(Role.LIAISON, "L099")
LEAD = ActingParty(Role.DEPARTMENT, "D-ROAD")
CO = ActingParty(Role.DEPARTMENT, "D-FIRE")
OUTSIDER = ActingParty(Role.DEPARTMENT, "D-TAX")
COORDINATOR = ActingParty(Role.COORDINATOR, "C001")
OPERATOR = ActingParty(Role.OPERATOR, "O001")

OWNER = Party("L001", PartyKind.LIAISON, "王店小二")
DISPATCH = DispatchDecision(
    catalogue_version=3,
    rule_id="R-07",
    category="基础设施/道路交通",
    lead_department="D-ROAD",
    co_departments=("D-FIRE",),
    urgency=Urgency.NORMAL,
    difficulty=Difficulty.SIMPLE,
    accept_hours=2.0,
    handle_days=5,
    park="久禾科技园",
)


def moment(by: ActingParty = COORDINATOR, at: datetime = MONDAY) -> Moment:
    return Moment(at, by, CALENDAR, LimitTable(), "DESK")


def town_time(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 by the town's clock."""
    return datetime(2026, 3, day, hour, minute, tzinfo=TOWN).astimezone(UTC)


def done(decision: Decision) -> Matter:
    assert isinstance(decision, Changed), decision
    return decision.matter


def registration(matter_id: str = "request-1", at: datetime = MONDAY) -> Registration:
    return Registration(
        matter_id,
        RequestingParty(RequesterKind.ENTERPRISE, "91310117MA1J0TEST1", "久禾精密"),
        Channel.WEB,
        Kind.HELP,
        None,
        "园区道路不通",
        Urgency.NORMAL,
        at,
    )


def offering(round_: int = 1, party: Party = OWNER, offer_id: str = "offer-1") -> Offering:
    offer = Offer(
        offer_id,
        party,
        Candidacy.PRIMARY,
        "结对主责",
        1,
        MONDAY,
        CALENDAR.add(MONDAY, work.Limit.hours(2)),
    )
    return Offering(round_, offer, DISPATCH, CALENDAR.version)


def received() -> Matter:
    return done(arrivals.open_matter(registration(), moment(SYSTEM)))


def awaiting() -> Matter:
    news = Wait(1, PendingReason.NO_RULE, MONDAY + timedelta(hours=3), DISPATCH)
    return done(arrivals.wait(received(), news, moment(SYSTEM)))


def offered() -> Matter:
    return done(arrivals.offer(received(), offering(), moment(SYSTEM)))


def in_progress() -> Matter:
    return done(
        arrivals.accept(offered(), Acceptance(1, "offer-1", OWNER, MONDAY), moment(LIAISON))
    )


def charted() -> Matter:
    steps = (
        chart.PlannedStep("m-1", "征求意见", "D-ROAD", town_time(10, 17), required=True),
        chart.PlannedStep("m-2", "勘察设计", "D-FIRE", town_time(20, 17), required=False),
    )
    return done(chart.plan(in_progress(), chart.Plan(steps), moment(LIAISON)))


def on_hold() -> Matter:
    step = work.HoldOn("等企业补充材料", town_time(6, 17))
    return done(work.hold(in_progress(), step, moment(LIAISON)))


def shelved() -> Matter:
    step = work.PutOnShelf("列入明年计划", town_time(30, 17))
    return done(work.shelve(in_progress(), step, moment(LIAISON)))


def handled() -> Matter:
    step = resolution.Handle(Outcome.RESOLVED, "道路已通")
    return done(resolution.handle(in_progress(), step, moment(LIAISON)))


def dissatisfied() -> Matter:
    step = resolution.ReturnVisit(reached=True, solved=False, satisfaction=2)
    return done(resolution.return_visit(handled(), step, moment(COORDINATOR)))


def closed() -> Matter:
    step = resolution.ReturnVisit(reached=True, solved=True, satisfaction=5)
    return done(resolution.return_visit(handled(), step, moment(COORDINATOR)))


def rejected() -> Matter:
    return done(resolution.reject(received(), resolution.Reject("属司法事项", "12368"), moment()))


def merged() -> Matter:
    other = replace(in_progress(), id="request-2")
    return done(links.merge(in_progress(), links.Merge(other, "同一问题"), moment(LIAISON)))


def withdrawn() -> Matter:
    return done(arrivals.withdraw(in_progress(), None, moment(REQUESTER)))


IN_STATE: dict[MatterState, Callable[[], Matter]] = {
    MatterState.RECEIVED: received,
    MatterState.AWAITING_DISPATCH: awaiting,
    MatterState.OFFERED: offered,
    MatterState.IN_PROGRESS: in_progress,
    MatterState.ON_HOLD: on_hold,
    MatterState.SHELVED: shelved,
    MatterState.HANDLED: handled,
    MatterState.CLOSED: closed,
    MatterState.MERGED: merged,
    MatterState.REJECTED: rejected,
    MatterState.WITHDRAWN: withdrawn,
}
