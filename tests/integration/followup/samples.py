"""Messages as Kafka brings them from intake and routing, about matters of a small town."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.followup.domain.limits import LimitTable
from services.followup.handlers.office import Office
from shared.calendar import Limit
from shared.calendar.china import load_calendar
from shared.contracts import topics
from shared.contracts.events.assignments import (
    Dispatch,
    DispatchWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferMade,
    PartyRef,
)
from shared.contracts.events.event import Actor, Event
from shared.contracts.events.requests import (
    RequestAmended,
    RequesterRef,
    RequestRegistered,
    RequestWithdrawn,
    ReturnVisitAnswered,
)
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    DeclineReason,
    Difficulty,
    Kind,
    PartyKind,
    PendingReason,
    RequesterKind,
    Role,
    Urgency,
)
from shared.delivery.cloudevents import Message, Raw
from shared.runtime.ids import new_id

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = load_calendar(None, 2024, 2032)
OFFICE = Office(CALENDAR, LimitTable(), "DESK")
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)
"""A working Monday at 10:00, with no holiday for weeks."""

FIRM = "91310117MA1J00001G"
OTHER_FIRM = "91310117MA1J00002K"
INTAKE = Actor(role=Role.SYSTEM, party="https://one-stop.example")
HOLDER = Actor(role=Role.REQUESTER, party="holder")
CLOCK = Actor(role=Role.CLOCK, party="clock")
LIAISON = PartyRef(id="L001", kind=PartyKind.LIAISON, name="王店小二")
DEPUTY = PartyRef(id="L002", kind=PartyKind.LIAISON, name="李店小二")
numbers = itertools.count(1)


def town_time(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 by the town's clock."""
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def new_matter() -> str:
    return new_id()


def message(matter_id: str, event: Event, at: datetime = MONDAY, sequence: int = 1) -> Message:
    raw = Raw(event.TOPIC, 0, next(numbers), matter_id.encode(), None)
    source = "urn:liaison:intake" if event.TOPIC == topics.REQUESTS else "urn:liaison:routing"
    return Message(UUID(new_id()), source, matter_id, sequence, event, at, raw=raw)


def registered(
    matter_id: str,
    at: datetime = MONDAY,
    summary: str = "园区道路不通,货车进不来",
    firm: str = FIRM,
    category: str | None = None,
) -> Message:
    event = RequestRegistered(
        actor=INTAKE,
        matter_id=matter_id,
        request_id=matter_id,
        source="https://one-stop.example",
        source_ref=f"ref-{matter_id}",
        channel=Channel.WEB,
        kind=Kind.HELP,
        category=category,
        requester=RequesterRef(kind=RequesterKind.ENTERPRISE, id=firm, name=f"企业{firm[-2]}"),
        summary=summary,
        detail="世富路东段积水,货车无法通行。",
        urgency=Urgency.NORMAL,
        received_at=at,
        attachments=("https://files.example/1.jpg",),
    )
    return message(matter_id, event, at)


def dispatch(
    days: int = 5, park: str | None = "九科园", category: str = "基础设施/道路交通"
) -> Dispatch:
    return Dispatch(
        catalogue_version=3,
        rule_id="R-07",
        category=category,
        lead_department="D-ROAD",
        co_departments=("D-FIRE",),
        urgency=Urgency.NORMAL,
        difficulty=Difficulty.SIMPLE,
        accept_hours=2.0,
        handle_days=days,
        park=park,
    )


def waiting(
    matter_id: str, at: datetime = MONDAY, reason: PendingReason = PendingReason.NO_RULE
) -> Message:
    event = DispatchWaiting(
        actor=CLOCK,
        matter_id=matter_id,
        round=1,
        pending_reason=reason,
        review_at=at + timedelta(hours=3),
        dispatch=dispatch(),
    )
    return message(matter_id, event, at)


def offered(
    matter_id: str,
    at: datetime = MONDAY,
    party: PartyRef = LIAISON,
    round_: int = 1,
    offer_id: str = "offer-1",
    days: int = 5,
) -> Message:
    event = OfferMade(
        actor=CLOCK,
        matter_id=matter_id,
        offer_id=offer_id,
        round=round_,
        attempt=1,
        party=party,
        candidacy=Candidacy.PRIMARY,
        why=f"{party.name}是该企业的结对店小二(主)",
        offered_at=at,
        expires_at=CALENDAR.add(at, Limit.hours(2)),
        calendar_version=CALENDAR.version,
        dispatch=dispatch(days),
    )
    return message(matter_id, event, at)


def _by(party: PartyRef) -> Actor:
    return Actor(role=Role(party.kind.value), party=party.id)


def accepted(
    matter_id: str,
    at: datetime = MONDAY,
    party: PartyRef = LIAISON,
    round_: int = 1,
    offer_id: str = "offer-1",
) -> Message:
    event = OfferAccepted(
        actor=_by(party), matter_id=matter_id, offer_id=offer_id, round=round_, party=party
    )
    return message(matter_id, event, at)


def declined(matter_id: str, at: datetime = MONDAY, party: PartyRef = LIAISON) -> Message:
    event = OfferDeclined(
        actor=_by(party),
        matter_id=matter_id,
        offer_id="offer-1",
        round=1,
        party=party,
        reason_code=DeclineReason.NOT_OURS,
        suggested_owner=None,
    )
    return message(matter_id, event, at)


def amended(matter_id: str, words: str = "又下雨了", at: datetime = MONDAY) -> Message:
    return message(matter_id, RequestAmended(actor=HOLDER, matter_id=matter_id, message=words), at)


def withdrawn(matter_id: str, at: datetime = MONDAY, issued_to: tuple[str, ...] = ()) -> Message:
    event = RequestWithdrawn(
        actor=HOLDER, matter_id=matter_id, reason="已自行解决", issued_to=issued_to
    )
    return message(matter_id, event, at)


def answered(
    matter_id: str, at: datetime = MONDAY, solved: bool = True, satisfaction: int = 5
) -> Message:
    event = ReturnVisitAnswered(
        actor=HOLDER, matter_id=matter_id, solved=solved, satisfaction=satisfaction, words="很好"
    )
    return message(matter_id, event, at)
