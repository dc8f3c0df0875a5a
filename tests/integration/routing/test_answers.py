"""What parties answer, what coordinators rule and what the clock brings: the matter always goes on."""

import asyncio
from datetime import timedelta

import pytest

from services.routing.domain.answers import Declination
from services.routing.domain.decision import (
    AlreadySettled,
    NoSuchOwner,
    NotOpen,
    NotYours,
    ObjectionSpent,
    Refused,
    SuggestsItself,
)
from services.routing.domain.matter import ObjectionState
from services.routing.domain.moment import Acting
from services.routing.handlers.commands.outcomes import Done, NotFound, VersionConflict
from shared.contracts.vocabulary import (
    DeclineReason,
    OfferState,
    Role,
    Ruling,
)
from shared.runtime.ids import new_id
from tests.integration.routing.answering import (
    BETTER,
    C001,
    LATER,
    accept,
    decline,
    objected,
    offered,
    rule,
)
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    RESIDENT,
    be_away,
    registered,
)


async def test_who_accepts_owns_the_matter(routing: Routing):
    matter_id, offer_id = await offered(routing)
    assert isinstance(await accept(routing, offer_id), Done)
    offer = await routing.current(matter_id)
    assert (offer["state"], offer["ended_at"]) == ("accepted", LATER)
    assert await routing.said(matter_id) == ["offer.made", "offer.accepted"]
    assert (await routing.events(matter_id))[1]["actor"] == {"role": "liaison", "party": "L001"}
    (matter,) = await routing.rows("select standing, owner_id, due_at from matter")
    assert matter == {"standing": "taken", "owner_id": "L001", "due_at": None}
    assert await routing.load("L001") == 1


async def test_of_two_who_accept_at_once_one_has_it_and_the_other_hears_who(routing: Routing):
    matter_id, offer_id = await offered(routing)
    outcomes = await asyncio.gather(
        accept(routing, offer_id), accept(routing, offer_id, C001), accept(routing, offer_id)
    )
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert len(lost) == 2
    for refusal in lost:
        assert refusal.why == NotOpen(OfferState.ACCEPTED)
        assert refusal.case.holding is not None
        assert refusal.case.holding.party.id == "L001"
    assert await routing.said(matter_id) == ["offer.made", "offer.accepted"]
    assert won.change.matter.version == 2


@pytest.mark.parametrize(
    "acting",
    [
        Acting(Role.LIAISON, "L002"),
        Acting(Role.DEPARTMENT, "D-ROAD"),
        Acting(Role.DEPARTMENT, "L001"),
        Acting(Role.OPERATOR, "L001"),
        Acting(Role.SYSTEM, "L001"),
    ],
)
async def test_nobody_answers_for_another_but_a_coordinator(routing: Routing, acting: Acting):
    matter_id, offer_id = await offered(routing)
    for outcome in (
        await accept(routing, offer_id, acting),
        await decline(routing, offer_id, acting=acting),
    ):
        assert isinstance(outcome, Refused)
        assert outcome.why == NotYours()
    assert await routing.said(matter_id) == ["offer.made"]


async def test_an_offer_that_is_not_there_and_a_version_that_has_moved_on(routing: Routing):
    _, offer_id = await offered(routing)
    assert await accept(routing, new_id()) == NotFound()
    assert await accept(routing, offer_id, version=7) == VersionConflict(1)
    assert isinstance(await accept(routing, offer_id, version=1), Done)


async def test_a_declined_offer_goes_to_the_next_and_not_back(routing: Routing):
    matter_id, offer_id = await offered(routing)
    assert isinstance(await decline(routing, offer_id), Done)
    second = await routing.current(matter_id)
    assert (second["party"], second["attempt"], second["cause"]) == ("L002", 2, "declined")
    assert second["received_at"] == MONDAY - timedelta(minutes=5)
    await decline(routing, second["id"], acting=Acting(Role.LIAISON, "L002"))
    third = await routing.current(matter_id)
    assert (third["party"], third["candidacy"]) == ("D-ROAD", "department_desk")
    await decline(routing, third["id"], acting=Acting(Role.DEPARTMENT, "D-ROAD"))
    assert (await routing.current(matter_id))["party"] == "DESK"
    assert await routing.said(matter_id) == ["offer.made"] + ["offer.declined", "offer.made"] * 3
    assert [await routing.load(party) for party in ("L001", "L002", "D-ROAD", "DESK")] == [
        0,
        0,
        0,
        1,
    ]


async def test_time_that_runs_out_goes_to_the_next_and_ends_with_the_desk_again_and_again(
    routing: Routing,
):
    matter_id, _ = await offered(routing)
    at = MONDAY
    parties = []
    for _ in range(6):
        offer = await routing.current(matter_id)
        parties.append(offer["party"])
        assert await routing.sweep(offer["expires_at"] - timedelta(seconds=1)) == 0
        at = offer["expires_at"]
        assert await routing.sweep(at) == 1
    assert parties == ["L001", "L002", "D-ROAD", "DESK", "DESK", "DESK"]
    assert (await routing.current(matter_id))["attempt"] == 7
    timed_out = (await routing.events(matter_id))[1]
    assert timed_out["type"] == "liaison.offer.timed_out.v1"
    assert timed_out["actor"]["role"] == "clock"


async def test_an_offer_that_ran_out_a_moment_ago_cannot_be_accepted(routing: Routing):
    matter_id, offer_id = await offered(routing)
    at = (await routing.current(matter_id))["expires_at"]
    outcome = await accept(routing, offer_id, at=at)
    assert isinstance(outcome, Refused)
    assert outcome.why == NotOpen(OfferState.TIMED_OUT)
    await routing.sweep(at)
    outcome = await accept(routing, offer_id, at=at)
    assert isinstance(outcome, Refused)
    assert outcome.case.holding is not None
    assert outcome.case.holding.party.id == "L002"


async def test_a_sweep_takes_what_is_due_the_longest_overdue_first(routing: Routing):
    first, _ = await offered(routing)
    request = registered()
    await routing.take_requests(request, at=MONDAY + timedelta(minutes=1))
    due = MONDAY + timedelta(hours=3)
    assert await routing.sweep(due, limit=1) == 1
    assert (await routing.current(first))["attempt"] == 2
    assert (await routing.current(request.subject))["attempt"] == 1
    assert await routing.sweep(due) == 1
    assert await routing.sweep(due) == 0


async def test_sweeps_at_once_act_once(routing: Routing):
    requests = [registered() for _ in range(40)]
    await routing.take_requests(*requests)
    due = MONDAY + timedelta(hours=3)
    swept = await asyncio.gather(*(routing.sweep(due, limit=15) for _ in range(6)))
    total = sum(swept)
    while more := await routing.sweep(due):
        total += more
    assert total == 40
    assert await routing.load("L001") == 0
    assert await routing.load("L002") == 40


async def test_a_better_owner_makes_it_wait_for_a_ruling(routing: Routing):
    matter_id, offer_id = await offered(routing)
    done = await decline(routing, offer_id, BETTER)
    assert isinstance(done, Done)
    assert await routing.said(matter_id) == [
        "offer.made", "offer.declined", "objection.raised", "dispatch.waiting",
    ]  # fmt: skip
    raised, waiting = (await routing.events(matter_id))[2:]
    assert raised["suggested_owner"] == "L003"
    assert waiting["pending_reason"] == "objection_review"
    # One working day from Monday ends when the offices close on Tuesday.
    assert waiting["review_at"] == raised["review_at"] == "2026-03-03T09:30:00Z"
    assert not [offer for offer in await routing.offers(matter_id) if offer["holding"]]


async def test_an_upheld_objection_goes_to_whom_it_named(routing: Routing):
    matter_id, objection_id = await objected(routing)
    assert isinstance(await rule(routing, objection_id, Ruling.UPHELD), Done)
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["candidacy"], offer["cause"]) == ("L003", "ruled", "upheld")
    ruled, made = (await routing.events(matter_id))[-2:]
    assert ruled["actor"] == {"role": "coordinator", "party": "C001"}
    assert (ruled["ruling"], made["candidacy"]) == ("upheld", "ruled")


async def test_an_overruled_objection_goes_back_to_who_objected_and_not_again(routing: Routing):
    matter_id, objection_id = await objected(routing)
    assert isinstance(await rule(routing, objection_id, Ruling.OVERRULED), Done)
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["candidacy"], offer["attempt"]) == ("L001", "ruled", 2)
    refused = await decline(routing, offer["id"], BETTER)
    assert isinstance(refused, Refused)
    assert refused.why == ObjectionSpent()
    assert isinstance(await decline(routing, offer["id"]), Done)
    assert (await routing.current(matter_id))["party"] == "L002"


async def test_a_ruling_for_somebody_who_is_away_goes_on_to_the_next(routing: Routing):
    matter_id, objection_id = await objected(routing)
    await be_away(routing.db, "L003")
    await rule(routing, objection_id, Ruling.UPHELD)
    assert (await routing.current(matter_id))["party"] == "L002"


async def test_an_objection_is_ruled_once(routing: Routing):
    _, objection_id = await objected(routing)
    outcomes = await asyncio.gather(
        rule(routing, objection_id, Ruling.UPHELD), rule(routing, objection_id, Ruling.OVERRULED)
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refused"]
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert isinstance(refused.why, AlreadySettled)


async def test_a_review_without_a_ruling_runs_out_and_the_matter_goes_on(routing: Routing):
    matter_id, objection_id = await objected(routing)
    review_at = MONDAY + timedelta(days=1, hours=8)
    assert await routing.sweep(review_at - timedelta(seconds=1)) == 0
    late = await rule(routing, objection_id, Ruling.UPHELD, at=review_at)
    assert isinstance(late, Refused)
    assert late.why == AlreadySettled(ObjectionState.LAPSED)
    assert await routing.sweep(review_at) == 1
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["cause"]) == ("L002", "review_lapsed")


async def test_a_suggested_owner_must_be_somebody_else_who_is_there(routing: Routing):
    _, offer_id = await offered(routing)
    itself = Declination(DeclineReason.OTHER, suggested_owner="L001")
    nobody = Declination(DeclineReason.OTHER, suggested_owner="L999")
    refusals = [await decline(routing, offer_id, wish) for wish in (itself, nobody)]
    assert [type(refusal.why) for refusal in refusals] == [SuggestsItself, NoSuchOwner]


async def test_a_desk_s_offer_is_answered_by_a_coordinator(routing: Routing):
    _, offer_id = await offered(routing, requester=RESIDENT, category="别的")
    refused = await accept(routing, offer_id, Acting(Role.DEPARTMENT, "D-ROAD"))
    assert isinstance(refused, Refused)
    assert isinstance(await accept(routing, offer_id, C001), Done)
