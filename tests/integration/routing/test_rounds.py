"""A matter that is reopened, closed or merged: who is asked next, who is free again, what is taken back."""

from datetime import timedelta

import pytest

from services.routing.domain.decision import AlreadySettled, Refused
from services.routing.domain.matter import ObjectionState
from services.routing.handlers.correcting import correct_next
from shared.contracts.events.matters import (
    MatterClosed,
    MatterFedBack,
    MatterHandled,
    MatterMerged,
    MatterUnmerged,
)
from shared.contracts.vocabulary import (
    MatterState,
    Outcome,
    Path,
    Ruling,
)
from shared.runtime.ids import new_id
from tests.integration.routing.answering import C001, accept, decline, objected, offered, rule
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    asked_back,
    be_away,
    changed,
    reopened,
    withdrawn,
)


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
    await routing.take_matters(withdrawn(matter_id))
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


async def test_case_81_an_acceptance_that_a_merge_overtook_loses_no_matter(routing: Routing):
    matter_id, offer_id = await offered(routing)
    await accept(routing, offer_id)
    merge = {"into": new_id(), "reason": "重复"}
    undo = {"out_of": merge["into"], "reason": "并错了"}
    await routing.take_matters(
        changed(MatterMerged, matter_id, MatterState.MERGED, **merge),
        # Followup merged it before it heard of the acceptance: there it waits for somebody again.
        changed(MatterUnmerged, matter_id, MatterState.AWAITING_DISPATCH, **undo),
    )
    offer = await routing.current(matter_id)
    assert (offer["state"], offer["cause"]) == ("offered", "unmerged")
    assert await routing.load("L001") == 1


@pytest.mark.parametrize(
    ("state", "party", "cause"),
    [
        (MatterState.AWAITING_DISPATCH, "L001", "unmerged"),
        (MatterState.IN_PROGRESS, "L001", "registered"),
        (MatterState.MERGED, None, None),
    ],
)
async def test_case_90_a_correction_follows_what_followup_made_of_an_acceptance(
    routing: Routing, state: MatterState, party: str | None, cause: str | None
):
    matter_id, offer_id = await offered(routing)
    await accept(routing, offer_id)
    async with routing.db.transaction() as conn:
        order = "insert into correction (matter_id, version, state, round) values ($1, 0, $2, 1)"
        await conn.execute(order, matter_id, state)
        assert await correct_next(conn, routing.office, MONDAY)
    if party is None:
        assert not [offer for offer in await routing.offers(matter_id) if offer["holding"]]
        assert await routing.load("L001") == 0
        return
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["cause"]) == (party, cause)
    assert (offer["state"] == "offered") == (state is MatterState.AWAITING_DISPATCH)
    assert await routing.load("L001") == 1


async def test_case_84_a_withdrawal_ends_nothing_until_followup_says_so(routing: Routing):
    taken, offer_id = await offered(routing)
    open_, _ = await offered(routing)
    await accept(routing, offer_id)
    await routing.take_requests(asked_back(taken), asked_back(open_))
    assert await routing.load("L001") == 2
    assert (await routing.current(taken))["state"] == "accepted"
    assert (await routing.current(open_))["state"] == "offered"
    await routing.take_matters(withdrawn(taken), withdrawn(open_))
    assert await routing.load("L001") == 0
    assert (await routing.offers(open_))[0]["reason"] == "withdrawn"


async def test_what_does_not_concern_routing_costs_nothing_and_waits_for_nothing(routing: Routing):
    unknown = new_id()
    fed_back = changed(MatterFedBack, unknown, MatterState.IN_PROGRESS, text="在办")
    close = changed(MatterClosed, unknown, MatterState.CLOSED, outcome=Outcome.RESOLVED)
    assert await routing.take_matters(fed_back, close) == [close]
