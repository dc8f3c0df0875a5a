"""Open offers and objections after the calendar changed: shown, then moved, each move recorded."""

from datetime import date
from pathlib import Path

import pytest

from services.routing.handlers.office import ActiveCatalogue, Office
from services.routing.timers import Timers
from shared.contracts.vocabulary import RescheduleCause, Urgency
from shared.rescheduling import orders
from tests.integration.routing.answering import objected, offered
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import MONDAY
from tests.integration.routing.test_days_off import march
from tests.support.dayoff import calendar_with_days_off


@pytest.fixture
def changed(routing: Routing, tmp_path: Path) -> Routing:
    limits = routing.office.limits
    calendar = calendar_with_days_off(tmp_path, date(2026, 3, 2), date(2026, 3, 3))
    return Routing(routing.db, Office(calendar, limits, ActiveCatalogue(limits)))


async def ordered(routing: Routing, *, apply: bool) -> orders.OrderProgress:
    async with routing.db.transaction() as conn:
        cause = RescheduleCause.CALENDAR
        order_id = await orders.ask(conn, apply=apply, cause=cause, asked_by="li")
    timers = Timers(routing.db, routing.office, lambda: MONDAY)
    while await timers.reschedule():
        pass
    async with routing.db.reading() as conn:
        return await orders.load_progress(conn, order_id)


async def test_case_45_open_offers_move_when_a_person_says_so(routing: Routing, changed: Routing):
    matter_id, _ = await offered(routing)
    urgent, _ = await offered(routing, urgency=Urgency.EMERGENCY)
    shown = await ordered(changed, apply=False)
    assert (shown.moved, shown.moves) == (
        1,
        [(matter_id, "accept", "2026-03-02T03:30:00+00:00", "2026-03-04T03:00:00+00:00")],
    )
    assert (await routing.current(matter_id))["expires_at"] == march(2, 11, 30)
    async with routing.db.reading() as conn:
        assert await orders.would_move(conn) == 1
    done = await ordered(changed, apply=True)
    assert (done.moved, done.done, done.calendar_version) == (
        1,
        True,
        changed.office.calendar.version,
    )
    offer = await routing.current(matter_id)
    assert offer["expires_at"] == march(4, 11)
    assert offer["calendar_version"] == changed.office.calendar.version
    assert (await routing.rows("select due_at from matter where id = $1", matter_id)) == [
        {"due_at": march(4, 11)}
    ]
    moved = (await routing.events(matter_id))[-1]
    assert moved["type"] == "liaison.offer.rescheduled.v1"
    assert moved["actor"] == {"role": "operator", "party": "li"}
    assert (moved["old_expires_at"], moved["expires_at"], moved["cause"]) == (
        "2026-03-02T03:30:00Z",
        "2026-03-04T03:00:00Z",
        "calendar",
    )
    assert await routing.said(urgent) == ["offer.made"]
    assert (await ordered(changed, apply=True)).moved == 0
    async with routing.db.reading() as conn:
        assert await orders.would_move(conn) == 0
    # The calendar as it was: the limit is what it was.
    assert (await ordered(routing, apply=True)).moved == 1
    assert (await routing.current(matter_id))["expires_at"] == march(2, 11, 30)


async def test_open_objections_move_too(routing: Routing, changed: Routing):
    matter_id, _ = await objected(routing)
    assert (await ordered(changed, apply=True)).moved == 1
    moved = (await routing.events(matter_id))[-1]
    assert moved["type"] == "liaison.objection.rescheduled.v1"
    assert moved["review_at"] == "2026-03-04T09:30:00Z"
    (objection,) = await routing.rows("select review_at, state from objection")
    assert objection == {"review_at": march(4, 17, 30), "state": "open"}


async def test_more_matters_than_a_batch_holds_and_another_replica(
    routing: Routing, changed: Routing, monkeypatch
):
    monkeypatch.setattr("services.routing.handlers.rescheduling.BATCH", 2)
    for _ in range(5):
        await offered(routing)
    async with routing.db.transaction() as conn:
        cause = RescheduleCause.CALENDAR
        order_id = await orders.ask(conn, apply=True, cause=cause, asked_by="li")
    ours, theirs = (Timers(each.db, each.office, lambda: MONDAY) for each in (changed, routing))
    assert await ours.reschedule()
    assert await ours.reschedule()
    # A replica with the calendar of yesterday leaves the order alone.
    while await theirs.reschedule():
        pass
    async with routing.db.reading() as conn:
        assert not (await orders.load_progress(conn, order_id)).done
    while await ours.reschedule():
        pass
    async with routing.db.reading() as conn:
        standing = await orders.load_progress(conn, order_id)
    assert (standing.done, standing.moved, len(standing.moves)) == (True, 5, 5)
