"""What parties answer, what coordinators rule and what the clock brings: the matter always goes on."""

import asyncio
from datetime import timedelta

import pytest

from services.routing.domain.answers import (
    Acting,
    AlreadySettled,
    Declination,
    NotOpen,
    NotYours,
    ObjectionSpent,
    SuggestsItself,
)
from services.routing.domain.matter import ObjectionState
from services.routing.handlers.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.batches import take_requests
from services.routing.handlers.directory import put_absence
from services.routing.handlers.outcomes import Done, Moved, NoSuchOwner, NotFound, Refused
from services.routing.handlers.rulings import GivenRuling, rule_objection
from services.routing.store.directory import Absence
from shared.contracts.matters import (
    MatterClosed,
    MatterFedBack,
    MatterHandled,
    MatterMerged,
    MatterUnmerged,
)
from shared.contracts.vocabulary import (
    DeclineReason,
    MatterState,
    OfferState,
    Outcome,
    Path,
    Role,
    Ruling,
)
from shared.kit.ids import new_id
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    RESIDENT,
    be_away,
    changed,
    registered,
    reopened,
    withdrawn,
)

LATER = MONDAY + timedelta(minutes=10)
L001 = Acting(Role.LIAISON, "L001")
C001 = Acting(Role.COORDINATOR, "C001")
NOT_OURS = Declination(DeclineReason.NOT_OURS)
BETTER = Declination(DeclineReason.NOT_MY_ENTERPRISE, suggested_owner="L003", note="归丙管")


async def accept(routing: Routing, offer_id: object, acting: Acting = L001, at=LATER, version=None):
    async with routing.db.transaction() as conn:
        answering = Answering(str(offer_id), acting, version)
        return await accept_offer(conn, routing.office, answering, at)


async def decline(
    routing: Routing, offer_id, declination=NOT_OURS, acting: Acting = L001, at=LATER
):
    async with routing.db.transaction() as conn:
        answering = Answering(str(offer_id), acting)
        return await decline_offer(conn, routing.office, answering, declination, at)


async def rule(routing: Routing, objection_id: str, ruling: Ruling, at=LATER):
    async with routing.db.transaction() as conn:
        given = GivenRuling(objection_id, ruling, C001, "已核")
        return await rule_objection(conn, routing.office, given, at)


async def offered(routing: Routing, **changes) -> tuple[str, str]:
    """A matter that was offered to somebody: its id and the offer's."""
    request = registered(**changes)
    await routing.take_requests(request)
    return request.subject, str((await routing.current(request.subject))["id"])


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
    assert await accept(routing, offer_id, version=7) == Moved(1)
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


async def objected(routing: Routing) -> tuple[str, str]:
    matter_id, offer_id = await offered(routing)
    done = await decline(routing, offer_id, BETTER)
    assert isinstance(done, Done)
    assert done.objection is not None
    return matter_id, done.objection.id


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


async def test_an_absence_in_the_midst_of_an_offer_passes_it_on_at_once(routing: Routing):
    matter_id, _ = await offered(routing)
    taken, taken_offer = await offered(routing)
    await accept(routing, taken_offer)
    await be_away(routing.db, "L001")
    assert await routing.begin_absences() == 1
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["cause"]) == ("L002", "liaison_absent")
    assert await routing.said(matter_id) == ["offer.made", "offer.rescinded", "offer.made"]
    assert (await routing.current(taken))["party"] == "L001"
    assert await routing.begin_absences() == 0


async def test_an_absence_planned_ahead_begins_by_the_clock(routing: Routing):
    matter_id, _ = await offered(routing)
    begins = MONDAY + timedelta(hours=1)
    await be_away(routing.db, "L001", since=begins)
    assert await routing.begin_absences(begins - timedelta(seconds=1)) == 0
    assert await routing.begin_absences(begins) == 1
    assert (await routing.current(matter_id))["party"] == "L002"


async def test_a_choice_under_way_when_an_absence_begins_is_passed_on_too(routing: Routing):
    begins = MONDAY + timedelta(hours=1)
    await be_away(routing.db, "L001", since=begins)
    await routing.begin_absences(begins)
    # It was begun a moment before the absence, and is committed a moment after.
    late = registered()
    await routing.take_requests(late, at=begins - timedelta(milliseconds=5))
    assert (await routing.current(late.subject))["party"] == "L001"
    assert await routing.begin_absences(begins + timedelta(seconds=20)) == 1
    assert (await routing.current(late.subject))["party"] == "L002"
    assert await routing.begin_absences(begins + timedelta(seconds=21)) == 0


async def waiting_for_locks(routing: Routing) -> None:
    async with asyncio.timeout(10):
        while not await routing.rows(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)


async def test_an_absence_entered_before_a_choice_is_written_is_seen_by_it(routing: Routing):
    request = registered()
    async with routing.db.transaction() as conn:
        absence = Absence("L001", "A1", MONDAY - timedelta(days=1), None, None)
        await put_absence(conn, absence)
        choosing = asyncio.create_task(routing.take_requests(request))
        await waiting_for_locks(routing)
    await choosing
    assert (await routing.current(request.subject))["party"] == "L002"


async def test_an_absence_waits_for_the_offer_that_is_under_way_and_passes_it_on(routing: Routing):
    request = registered()

    async def leave() -> None:
        await be_away(routing.db, "L001")
        await routing.begin_absences()

    async with routing.db.transaction() as conn:
        await take_requests(conn, routing.office, [request], MONDAY)
        leaving = asyncio.create_task(leave())
        await waiting_for_locks(routing)
    await leaving
    assert (await routing.current(request.subject))["party"] == "L002"


async def test_who_is_back_within_the_round_may_be_asked_again(routing: Routing):
    matter_id, _ = await offered(routing)
    await be_away(routing.db, "L001", until=MONDAY + timedelta(hours=1))
    await routing.begin_absences()
    second = await routing.current(matter_id)
    await decline(routing, second["id"], acting=C001, at=MONDAY + timedelta(hours=1))
    assert (await routing.current(matter_id))["party"] == "L001"


async def test_a_reopened_matter_goes_to_the_same_liaison_first(routing: Routing):
    matter_id, offer_id = await offered(routing)
    await decline(routing, offer_id)
    await accept(routing, (await routing.current(matter_id))["id"], C001)
    await routing.take_matters(
        changed(MatterHandled, matter_id, MatterState.HANDLED, outcome=Outcome.RESOLVED,
                answer="已疏通", path=Path.INSTANT, on_time=True),
    )  # fmt: skip
    assert await routing.load("L002") == 0
    await routing.take_matters(reopened(matter_id, 2))
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["candidacy"]) == ("L002", "returning")
    assert (offer["round"], offer["attempt"], offer["cause"]) == (2, 1, "reopened")
    assert offer["received_at"] == MONDAY - timedelta(minutes=5)
    await routing.take_matters(reopened(matter_id, 2))
    assert len(await routing.offers(matter_id)) == 3


async def test_a_reopened_matter_passes_by_a_liaison_who_is_away(routing: Routing):
    matter_id, offer_id = await offered(routing)
    await accept(routing, offer_id)
    await be_away(routing.db, "L001")
    await routing.take_matters(reopened(matter_id, 2, last_owner="L001"))
    assert (await routing.current(matter_id))["party"] == "L002"
    assert await routing.load("L001") == 0


async def test_a_round_begins_with_nobody_excluded(routing: Routing):
    matter_id, offer_id = await offered(routing)
    await decline(routing, offer_id)
    await accept(routing, (await routing.current(matter_id))["id"], C001)
    await be_away(routing.db, "L002")
    await routing.take_matters(reopened(matter_id, 2, last_owner="L002"))
    assert (await routing.current(matter_id))["party"] == "L001"


async def test_a_closed_matter_frees_its_liaison_and_takes_back_what_is_open(routing: Routing):
    held, offer_id = await offered(routing)
    still_open, _ = await offered(routing)
    await accept(routing, offer_id)
    assert await routing.load("L001") == 2
    close = {"outcome": Outcome.RESOLVED}
    await routing.take_matters(
        changed(MatterClosed, held, MatterState.CLOSED, **close),
        changed(MatterClosed, still_open, MatterState.CLOSED, **close),
    )
    assert await routing.load("L001") == 0
    assert await routing.said(held) == ["offer.made", "offer.accepted"]
    assert await routing.said(still_open) == ["offer.made", "offer.rescinded"]
    assert (await routing.offers(still_open))[0]["reason"] == "closed"
    assert await routing.sweep(MONDAY + timedelta(days=1)) == 0


async def test_an_end_leaves_an_open_objection_without_its_matter(routing: Routing):
    matter_id, objection_id = await objected(routing)
    await routing.take_requests(withdrawn(matter_id))
    refused = await rule(routing, objection_id, Ruling.UPHELD)
    assert isinstance(refused, Refused)
    assert refused.why == AlreadySettled(ObjectionState.MOOT)
    assert await routing.sweep(MONDAY + timedelta(days=5)) == 0


async def test_a_merge_that_is_undone_gives_the_matter_back(routing: Routing):
    taken, offer_id = await offered(routing)
    open_, _ = await offered(routing)
    await accept(routing, offer_id)
    merge = {"into": new_id(), "reason": "重复"}
    undo = {"out_of": merge["into"], "reason": "并错了"}
    await routing.take_matters(
        changed(MatterMerged, taken, MatterState.MERGED, **merge),
        changed(MatterMerged, open_, MatterState.MERGED, **merge),
    )
    assert await routing.load("L001") == 0
    await routing.take_matters(
        changed(MatterUnmerged, taken, MatterState.IN_PROGRESS, **undo),
        changed(MatterUnmerged, open_, MatterState.AWAITING_DISPATCH, **undo),
    )
    assert await routing.load("L001") == 2
    assert (await routing.current(taken))["state"] == "accepted"
    assert (await routing.current(open_))["cause"] == "unmerged"


async def test_what_does_not_concern_routing_costs_nothing_and_waits_for_nothing(routing: Routing):
    unknown = new_id()
    fed_back = changed(MatterFedBack, unknown, MatterState.IN_PROGRESS, text="在办")
    close = changed(MatterClosed, unknown, MatterState.CLOSED, outcome=Outcome.RESOLVED)
    assert await routing.take_matters(fed_back, close) == [close]


async def test_a_desk_s_offer_is_answered_by_a_coordinator(routing: Routing):
    _, offer_id = await offered(routing, requester=RESIDENT, category="别的")
    refused = await accept(routing, offer_id, Acting(Role.DEPARTMENT, "D-ROAD"))
    assert isinstance(refused, Refused)
    assert isinstance(await accept(routing, offer_id, C001), Done)
