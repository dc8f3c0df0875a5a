"""A registered request finds somebody, whatever is known of it."""

from datetime import timedelta

from services.routing.domain.dispatching import Limits
from services.routing.handlers import batches
from services.routing.store.directory.entries import LiaisonEntry
from shared.contracts.vocabulary import Kind, Urgency
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    RESIDENT,
    activate,
    be_away,
    enterprise,
    new_office,
    put_liaison,
    registered,
    withdrawn,
)


async def test_the_primary_is_offered_the_matter_with_the_rule_and_the_limit(routing: Routing):
    request = registered()
    assert await routing.take_requests(request) == []
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["candidacy"], offer["state"]) == ("L001", "primary", "offered")
    assert (offer["catalogue_version"], offer["rule_id"]) == (1, "R01")
    assert offer["expires_at"] == MONDAY + timedelta(hours=2)
    (event,) = await routing.events(request.subject)
    assert event["type"] == "liaison.offer.made.v1"
    assert event["dispatch"]["lead_department"] == "D-ROAD"
    assert event["dispatch"]["co_departments"] == ["D-POLICE"]
    assert event["dispatch"]["handle_days"] == 15
    assert event["dispatch"]["park"] == "九科园"
    assert event["party"] == {"id": "L001", "kind": "liaison", "name": "甲"}
    assert "甲" in event["why"]
    assert "R01" in event["why"]
    assert await routing.load("L001") == 1


async def test_a_limit_counts_working_hours_and_passes_over_lunch_and_night(routing: Routing):
    request = registered()
    await routing.take_requests(request, at=MONDAY + timedelta(hours=7, minutes=30))
    (offer,) = await routing.offers(request.subject)
    # 17:00 on Monday: half an hour is left, then one and a half on Tuesday from 09:00 on.
    assert offer["expires_at"] == MONDAY + timedelta(days=1, hours=1)


async def test_an_emergency_runs_by_the_wall_clock(routing: Routing):
    request = registered(category="安全生产/消防", kind=Kind.HAZARD)
    await routing.take_requests(request, at=MONDAY + timedelta(hours=12))
    (offer,) = await routing.offers(request.subject)
    assert offer["expires_at"] == MONDAY + timedelta(hours=12, minutes=30)
    (event,) = await routing.events(request.subject)
    assert event["dispatch"]["urgency"] == "emergency"


async def test_the_deputy_stands_in_while_the_primary_is_away(routing: Routing):
    await be_away(routing.db, "L001")
    request = registered()
    await routing.take_requests(request)
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["candidacy"]) == ("L002", "deputy")


async def test_whom_the_absence_names_comes_before_the_tie_s_deputy(routing: Routing):
    await be_away(routing.db, "L001", deputy="L003")
    request = registered()
    await routing.take_requests(request)
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["candidacy"]) == ("L003", "deputy")


async def test_with_both_away_the_lead_department_s_desk_has_it(routing: Routing):
    await be_away(routing.db, "L001", deputy="L002")
    await be_away(routing.db, "L002", deputy="L001")
    request = registered()
    await routing.take_requests(request)
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["candidacy"]) == ("D-ROAD", "department_desk")


async def test_a_resident_goes_to_the_department_and_a_stranger_firm_too(routing: Routing):
    first, second = registered(requester=RESIDENT), registered(requester=enterprise(99))
    await routing.take_requests(first, second)
    for request in (first, second):
        assert (await routing.current(request.subject))["party"] == "D-ROAD"


async def test_without_a_rule_the_fallback_desk_has_it(routing: Routing):
    request = registered(requester=RESIDENT, category="别的/事情")
    await routing.take_requests(request)
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["candidacy"], offer["rule_id"]) == ("DESK", "fallback_desk", None)
    (event,) = await routing.events(request.subject)
    assert event["dispatch"]["rule_id"] is None
    assert event["dispatch"]["catalogue_version"] == 1


async def test_without_any_catalogue_nobody_is_lost(routing: Routing):
    await routing.rows("update catalogue_version set state = 'retired' returning version")
    request = registered(requester=RESIDENT)
    await routing.take_requests(request)
    (offer,) = await routing.offers(request.subject)
    assert (offer["party"], offer["catalogue_version"]) == ("DESK", None)


async def test_keywords_decide_where_no_category_is_named(routing: Routing):
    request = registered(category=None, requester=RESIDENT, summary="厂门口", detail="坑洼不平")
    await routing.take_requests(request)
    (event,) = await routing.events(request.subject)
    assert event["dispatch"]["rule_id"] == "R01"
    assert event["dispatch"]["category"] == "基础设施/道路交通"


async def test_capacity_is_kept_within_one_batch(routing: Routing):
    async with routing.db.transaction() as conn:
        await put_liaison(conn, LiaisonEntry("L001", "甲", "D-ROAD", 2))
        await put_liaison(conn, LiaisonEntry("L002", "乙", "D-ROAD", 1))
    requests = [registered() for _ in range(5)]
    await routing.take_requests(*requests)
    parties = [(await routing.current(request.subject))["party"] for request in requests]
    assert parties == ["L001", "L001", "L002", "D-ROAD", "D-ROAD"]
    assert await routing.load("L001") == 2


async def test_a_new_catalogue_is_in_force_with_the_next_batch(routing: Routing):
    first, second = registered(), registered()
    await routing.take_requests(first)
    await activate(routing.db, "规则编号,主办部门\r\nALL,D-FIRE\r\n")
    await routing.take_requests(second)
    assert (await routing.current(first.subject))["rule_id"] == "R01"
    assert (await routing.current(second.subject))["rule_id"] == "ALL"
    assert (await routing.current(second.subject))["catalogue_version"] == 2


async def test_a_withdrawn_matter_takes_its_offer_back(routing: Routing):
    request = registered()
    await routing.take_requests(request)
    await routing.take_matters(withdrawn(request.subject))
    assert await routing.said(request.subject) == ["offer.made", "offer.rescinded"]
    (offer,) = await routing.offers(request.subject)
    assert (offer["state"], offer["reason"], offer["holding"]) == ("rescinded", "withdrawn", False)
    assert await routing.load("L001") == 0


async def test_a_registration_said_twice_is_done_once(routing: Routing):
    request = registered()
    await routing.take_requests(request)
    await routing.take_requests(registered(request.subject))
    assert len(await routing.offers(request.subject)) == 1


async def test_what_comes_before_its_registration_is_given_back(routing: Routing):
    early = withdrawn("0190a000-0000-7000-8000-000000000001")
    assert await routing.take_matters(early) == [early]


async def statements_of(routing: Routing, count: int) -> int:
    asked: list[str] = []
    requests = [registered(requester=enterprise(1 + number % 3)) for number in range(count)]
    async with routing.db.transaction() as conn:
        with conn.query_logger(lambda query: asked.append(query.query)):
            await batches.apply_requests(conn, requests, routing.office, lambda: MONDAY)
    return len(asked)


async def test_a_batch_costs_a_fixed_number_of_statements(routing: Routing):
    await routing.take_requests(registered())
    one, many = await statements_of(routing, 3), await statements_of(routing, 300)
    assert one == many
    assert many <= 12


async def test_urgency_is_raised_and_never_lowered(routing: Routing):
    request = registered(category="人才服务", urgency=Urgency.EMERGENCY)
    await routing.take_requests(request)
    (event,) = await routing.events(request.subject)
    assert event["dispatch"]["rule_id"] == "R03"
    assert event["dispatch"]["urgency"] == "emergency"


async def test_the_limits_are_the_town_s(routing: Routing):
    office = new_office(Limits(accept_minutes=60))
    request = registered()
    async with routing.db.transaction() as conn:
        await batches.apply_requests(conn, [request], office, lambda: MONDAY)
    (offer,) = await routing.offers(request.subject)
    assert offer["expires_at"] == MONDAY + timedelta(hours=1)
