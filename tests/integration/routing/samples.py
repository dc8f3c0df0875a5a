"""A small town, and messages as Kafka brings them."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.routing.domain.dispatching import Limits
from services.routing.handlers.commands import directory
from services.routing.handlers.commands.catalogue import (
    CatalogueFile,
    activate_version,
    add_version,
)
from services.routing.handlers.office import ActiveCatalogue, Office
from services.routing.store.directory.entries import (
    Absence,
    Department,
    EnterpriseEntry,
    LiaisonEntry,
    Tie,
)
from shared.calendar.china import load_calendar
from shared.contracts.events.assignments import PartyRef
from shared.contracts.events.event import Actor, Event
from shared.contracts.events.matters import MatterReopened, MatterWithdrawn
from shared.contracts.events.requests import RequesterRef, RequestRegistered, RequestWithdrawn
from shared.contracts.fields import uscc
from shared.contracts.vocabulary import (
    Channel,
    Kind,
    MatterState,
    PartyKind,
    ReopenCause,
    RequesterKind,
    Role,
    Tier,
    TieRole,
    Urgency,
)
from shared.delivery.cloudevents import Message, Raw
from shared.runtime.database import Connection, Database
from shared.runtime.ids import new_id
from shared.tables.reader import read_table

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI).astimezone(UTC)
"""A working day without a holiday near it, half an hour after the offices open."""

CALENDAR = load_calendar(None, 2025, 2028)
numbers = itertools.count(1)

CATALOGUE = (
    "规则编号,类别,关键词,诉求类型,园区,企业层级,紧急程度,主办部门,协办部门,难易,定级,"
    "签收时限(工作小时),办结时限(工作日),说明\r\n"
    "R01,基础设施/道路交通,道路、坑洼,,,,,D-ROAD,D-POLICE,复杂,,,,园区道路\r\n"
    "R02,安全生产/消防,消防,隐患、投诉,,,,D-FIRE,,,特急,,3,消防隐患\r\n"
    "R03,人才服务,,,,重点,,D-TALENT,,,紧急,1,,重点企业人才\r\n"
)


def code(number: int) -> str:
    """A valid unified social credit code."""
    body = f"91310117MA1{number:06d}"
    return body + uscc.check_character(body)


FIRM = code(1)
OTHER_FIRM = code(2)
UNTIED_FIRM = code(3)


def new_office(limits: Limits | None = None) -> Office:
    limits = limits or Limits()
    return Office(CALENDAR, limits, ActiveCatalogue(limits))


async def found_town(db: Database, capacity: int = 50) -> None:
    """Four departments, three liaisons, a firm with a primary and a deputy, one with a primary, one with neither."""
    async with db.transaction() as conn:
        for department_id, name in (
            ("D-ROAD", "道路科"), ("D-POLICE", "交警中队"), ("D-FIRE", "消防站"), ("D-TALENT", "人才办"),
        ):  # fmt: skip
            await directory.put_department(
                conn, Department(department_id, name), COORDINATOR, MONDAY
            )
        for liaison_id, name in (("L001", "甲"), ("L002", "乙"), ("L003", "丙")):
            await directory.put_liaison(
                conn, LiaisonEntry(liaison_id, name, "D-ROAD", capacity), COORDINATOR, MONDAY
            )
        for number, tier in ((1, Tier.KEY), (2, Tier.GENERAL), (3, Tier.GENERAL)):
            await directory.put_enterprise(
                conn,
                EnterpriseEntry(code(number), f"企业{number}", "九科园", "制造", tier),
                COORDINATOR,
                MONDAY,
            )
        await tie(conn, "T1", FIRM, "L001")
        await tie(conn, "T2", FIRM, "L002", TieRole.DEPUTY)
        await tie(conn, "T3", OTHER_FIRM, "L002")


async def tie(
    conn: Connection,
    tie_id: str,
    firm: str,
    liaison_id: str,
    role: TieRole = TieRole.PRIMARY,
    from_on: date = date(2025, 1, 1),
    until_on: date | None = None,
) -> object:
    entry = Tie(tie_id, firm, liaison_id, role, from_on, until_on, "结对")
    return await directory.put_tie(conn, entry, COORDINATOR, MONDAY)


COORDINATOR = Actor(role=Role.COORDINATOR, party="C001")


async def put_liaison(conn: Connection, entry: LiaisonEntry) -> None:
    """A liaison as the coordinator enters them."""
    await directory.put_liaison(conn, entry, COORDINATOR, MONDAY)


async def activate(db: Database, text: str = CATALOGUE) -> int:
    async with db.transaction() as conn:
        raw = text.encode()
        file = CatalogueFile(raw, read_table(raw, 2000))
        added = await add_version(conn, file, "C001", MONDAY)
        await activate_version(conn, added.version, "C001", MONDAY)
        return int(added.version)


async def be_away(
    db: Database,
    liaison_id: str,
    since: datetime = MONDAY - timedelta(days=1),
    until: datetime | None = MONDAY + timedelta(days=3),
    deputy: str | None = None,
) -> None:
    async with db.transaction() as conn:
        absence = Absence(liaison_id, f"A{next(numbers)}", since, until, deputy)
        await directory.put_absence(conn, absence, COORDINATOR, MONDAY)
        await directory.hold_offers(conn, [liaison_id])


def message(event: Event, subject: str, sequence: int) -> Message:
    number = next(numbers)
    return Message(
        UUID(int=number),
        "urn:liaison:test",
        subject,
        sequence,
        event,
        MONDAY,
        raw=Raw("topic", 0, number, None, None),
    )


def registered(matter_id: str | None = None, **changes: Any) -> Message:
    matter_id = matter_id or new_id()
    details: dict[str, Any] = {
        "actor": Actor(role=Role.SYSTEM, party="https://one-stop.example"),
        "matter_id": matter_id,
        "request_id": matter_id,
        "source": "https://one-stop.example",
        "source_ref": f"call-{next(numbers)}",
        "channel": Channel.HOTLINE,
        "kind": Kind.HELP,
        "category": "基础设施/道路交通/积水",
        "requester": RequesterRef(kind=RequesterKind.ENTERPRISE, id=FIRM, name="企业1"),
        "summary": "园区北门道路积水",
        "detail": "雨后积水约二十厘米。",
        "urgency": Urgency.NORMAL,
        "received_at": MONDAY - timedelta(minutes=5),
    }
    return message(RequestRegistered(**(details | changes)), matter_id, 1)


def enterprise(number: int) -> RequesterRef:
    return RequesterRef(kind=RequesterKind.ENTERPRISE, id=code(number), name=f"企业{number}")


RESIDENT = RequesterRef(kind=RequesterKind.RESIDENT, id="r-1", name="某居民")
REQUESTER = Actor(role=Role.REQUESTER, party="receipt")


def asked_back(matter_id: str) -> Message:
    """The holder of a receipt takes the request back; whether that counts is followup's to say."""
    return message(RequestWithdrawn(actor=REQUESTER, matter_id=matter_id), matter_id, 2)


def withdrawn(matter_id: str) -> Message:
    event = MatterWithdrawn(
        actor=REQUESTER, matter_id=matter_id, state=MatterState.WITHDRAWN, round=1, reason=None
    )
    return message(event, matter_id, 1)


def reopened(matter_id: str, round_: int, last_owner: str | None = None) -> Message:
    owner = last_owner and PartyRef(id=last_owner, kind=PartyKind.LIAISON, name=last_owner)
    event = MatterReopened(
        actor=COORDINATOR,
        matter_id=matter_id,
        state=MatterState.AWAITING_DISPATCH,
        round=round_,
        cause=ReopenCause.NOT_SOLVED,
        reason="又积水了",
        last_owner=owner or None,
    )
    return message(event, matter_id, round_)


def changed(event: type[Event], matter_id: str, state: MatterState, **details: Any) -> Message:
    made = event(actor=COORDINATOR, matter_id=matter_id, state=state, round=1, **details)
    return message(made, matter_id, next(numbers))
