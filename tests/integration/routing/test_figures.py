"""What waits is counted as it stands; what cannot be counted is not shown."""

from datetime import datetime, timedelta

from prometheus_client import REGISTRY

from services.routing.handlers import figures
from services.routing.store.figures import count_waiting
from services.routing.timers import Timers
from shared.contracts.vocabulary import DeclineReason
from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import MONDAY, new_office, registered, reopened


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "routing"} | labels)


async def measured(routing: Routing, at: datetime = MONDAY) -> None:
    await Timers(routing.db, new_office(), lambda: at).measure()


async def test_what_waits_is_counted_by_what_it_waits_for(routing: Routing, api: Api) -> None:
    messages = [registered() for _ in range(3)]
    await routing.take_requests(*messages)
    later = MONDAY + timedelta(hours=1)
    await routing.take_requests(registered(), at=later)
    offer = await routing.current(messages[0].subject)
    body = {"reason_code": DeclineReason.NOT_OURS, "suggested_owner": "D-FIRE"}
    api.now = later
    declined = await api.post(f"/routing/offers/{offer['id']}/decline", "L001", body)
    assert declined.status_code == 200, declined.text
    await measured(routing, later)
    assert figure("liaison_matters_waiting", reason="offered") == 3
    assert figure("liaison_matters_waiting", reason="objection_review") == 1
    # Both have waited since ten: the objection is part of the same wait.
    for reason in ("offered", "objection_review"):
        assert figure("liaison_matters_waiting_working_seconds", reason=reason) == 3600
    assert figure("liaison_sweep_late_seconds") == 0
    # At noon the first offers run out, and nobody sweeps.
    await measured(routing, offer["expires_at"] + timedelta(seconds=90))
    assert figure("liaison_sweep_late_seconds") == 90


async def test_a_reopened_matter_waits_from_its_reopening_and_nights_do_not_count(
    routing: Routing,
) -> None:
    message = registered(received_at=MONDAY - timedelta(days=60))
    await routing.take_requests(message)
    await routing.take_matters(reopened(message.subject, 2), at=MONDAY + timedelta(days=7))
    await measured(routing, MONDAY + timedelta(days=8))
    waited = figure("liaison_matters_waiting_working_seconds", reason="offered")
    assert waited is not None
    assert 0 < waited < 10 * 3600


async def test_where_nothing_waits_nothing_is_late(routing: Routing) -> None:
    await measured(routing)
    assert figure("liaison_matters_waiting", reason="offered") == 0
    assert figure("liaison_matters_waiting_working_seconds", reason="offered") == 0
    assert figure("liaison_sweep_late_seconds") == 0


async def test_counting_ends(routing: Routing) -> None:
    await routing.take_requests(*(registered() for _ in range(9)))
    async with routing.db.reading() as conn:
        assert (await count_waiting(conn, most=5)).offered == 5


async def test_what_cannot_be_counted_is_not_shown(routing: Routing) -> None:
    await routing.take_requests(registered())
    await measured(routing)
    assert figure("liaison_matters_waiting", reason="offered") == 1
    async with routing.db.reading() as conn:
        await conn.execute("alter table objection rename to gone")
    await measured(routing)
    assert figure("liaison_matters_waiting", reason="offered") is None
    assert figure("liaison_sweep_late_seconds") is None
    assert {"service"} == set.intersection(*(set(each._labelnames) for each in figures.GAUGES))
