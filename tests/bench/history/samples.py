"""A matter in each state and its events, with marks such as `@id` in place of what is each one's own."""

from typing import Any

from services.followup.domain.clocks import Clock, Stage
from services.followup.domain.matter import (
    Closing,
    DispatchDecision,
    Handling,
    Matter,
    Offer,
    Party,
    Visit,
)
from services.followup.domain.moment import ActingParty
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    ClockKind,
    Difficulty,
    Kind,
    MatterState,
    OfferState,
    Outcome,
    PartyKind,
    Role,
    Urgency,
    VisitState,
)
from shared.contracts.vocabulary import (
    Path as WorkPath,
)

TOLD = {
    MatterState.CLOSED: ("opened", "closed"),
    MatterState.OFFERED: ("opened", "offered"),
    MatterState.IN_PROGRESS: ("opened", "offered", "taken"),
    MatterState.HANDLED: ("opened", "offered", "taken", "handled"),
}
"""Of which events a matter in this state is made here."""
OWNER = {"id": "@liaison", "kind": "liaison", "name": "@liaison"}


def _clock(kind: ClockKind) -> Clock:
    due: Any = "@due"
    return Clock(kind, due, due, None, due, Stage.ON_TRACK, "bench")


DISPATCH = DispatchDecision(
    1,
    "R001",
    "@category",
    "@department",
    (),
    Urgency.NORMAL,
    Difficulty.SIMPLE,
    2.0,
    5,
    "@park",
)
CLOCKS = {
    MatterState.CLOSED: (),
    MatterState.HANDLED: (ClockKind.RETURN_VISIT,),
    MatterState.OFFERED: (ClockKind.ACCEPT, ClockKind.HANDLE),
    MatterState.IN_PROGRESS: (ClockKind.FEEDBACK, ClockKind.HANDLE),
}
"""What runs in this state."""


def sample(state: MatterState) -> Matter:
    """A matter in this state, with marks in place of what is each one's own."""
    at: Any = "@at"
    liaison = Party("@liaison", PartyKind.LIAISON, "@liaison")
    taken = state is not MatterState.OFFERED
    handled = state in (MatterState.HANDLED, MatterState.CLOSED)
    closed = state is MatterState.CLOSED
    offer_state = OfferState.ACCEPTED if taken else OfferState.OFFERED
    by = ActingParty(Role.LIAISON, "@liaison")
    visitor = ActingParty(Role.COORDINATOR, "C001")
    return Matter(
        id="@id",
        requester_id="@firm",
        channel=Channel.WEB,
        kind=Kind.HELP,
        urgency=Urgency.NORMAL,
        received_at=at,
        category="@category",
        version=len(TOLD[state]),
        state=state,
        clocks=tuple(_clock(kind) for kind in CLOCKS[state]),
        parties=("@liaison", "@department"),
        dispatch=DISPATCH,
        offer=Offer("@offer", liaison, Candidacy.PRIMARY, "primary", 1, at, at, offer_state),
        owner=liaison if taken else None,
        taken_at=at if taken else None,
        contacted_at=at if taken else None,
        handling=Handling(Outcome.RESOLVED, "Done.", WorkPath.INSTANT, by, at, True, True)
        if handled
        else None,
        visit=Visit(VisitState.DONE, 1, visitor, at, True, True, 5, None)
        if closed
        else Visit(VisitState.DUE)
        if handled
        else None,
        closing=Closing(at) if closed else None,
    )


def said() -> list[tuple[str, dict[str, Any]]]:
    """The events of a matter, in order: the name, and what it says."""
    actor = {"role": "liaison", "party": "@liaison"}
    told = {"actor": actor, "matter_id": "@id", "round": 1}
    dispatch = {
        "catalogue_version": 1,
        "rule_id": "R001",
        "category": "@category",
        "lead_department": "@department",
        "co_departments": [],
        "urgency": "normal",
        "difficulty": "simple",
        "accept_hours": 2.0,
        "handle_days": 5,
        "park": "@park",
    }
    offered = {
        "offer_id": "@offer",
        "party": OWNER,
        "candidacy": "primary",
        "why": "primary",
        "expires_at": "@at",
        "dispatch": dispatch,
    }
    return [
        ("opened", told | {"state": "received", "next_due_at": "@due"}),
        ("offered", told | {"state": "offered", "next_due_at": "@due"} | offered),
        ("taken", told | {"state": "in_progress", "next_due_at": "@due", "owner": OWNER}),
        ("handled", told | {"state": "handled", "outcome": "resolved", "answer": "Done."}),
        ("closed", told | {"state": "closed", "outcome": "resolved"}),
    ]
