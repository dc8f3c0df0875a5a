"""A matter and its parts as frozen values."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.followup.domain import clocks
from services.followup.domain.clocks import Breach, Clock, Extension
from services.followup.domain.moment import ActingParty
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    ClockKind,
    Difficulty,
    Kind,
    MatterState,
    MilestoneState,
    OfferState,
    Outcome,
    PartyKind,
    Path,
    PendingReason,
    Urgency,
    VisitState,
)

FINAL: Final = frozenset(
    {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}
)
"""States that promise nothing more."""

DISPATCHING: Final = frozenset(
    {MatterState.RECEIVED, MatterState.AWAITING_DISPATCH, MatterState.OFFERED}
)
"""States in which nobody has taken the matter yet."""

WORKING: Final = frozenset({MatterState.IN_PROGRESS, MatterState.ON_HOLD, MatterState.SHELVED})
"""States in which an owner works on it or waits."""


@dataclass(frozen=True, slots=True)
class Party:
    """A liaison, a department's desk or the town's fallback desk."""

    id: str
    kind: PartyKind
    name: str


@dataclass(frozen=True, slots=True)
class DispatchDecision:
    """What the dispatch catalogue decided. `accept_hours` counts working hours, `handle_days` working days."""

    catalogue_version: int | None
    rule_id: str | None
    category: str | None
    lead_department: str | None
    co_departments: tuple[str, ...]
    urgency: Urgency
    difficulty: Difficulty
    accept_hours: float
    handle_days: int
    park: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """The latest offer of the round: the party, why it was chosen, and the offer's state."""

    offer_id: str
    party: Party
    candidacy: Candidacy
    why: str
    attempt: int
    offered_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OFFERED


@dataclass(frozen=True, slots=True)
class Pending:
    """Why the matter waits without an offer, and when that is reviewed."""

    reason: PendingReason
    review_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: what is awaited of the requester."""

    reason: str
    held_at: datetime
    resume_at: datetime


@dataclass(frozen=True, slots=True)
class Shelf:
    """A stay on the long-term list: reason and beginning. `handle_due_at` is the handling limit before it."""

    reason: str
    review_at: datetime
    handle_due_at: datetime
    shelved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """The round's result and its handler. `instant`: without a chart, within the first contact's limit."""

    outcome: Outcome
    answer: str
    path: Path
    handler: ActingParty
    at: datetime
    on_time: bool
    instant: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """The round's return visit; `attempts` includes those that reached nobody."""

    state: VisitState
    attempts: int = 0
    visitor: ActingParty | None = None
    at: datetime | None = None
    answered: bool | None = None
    solved: bool | None = None
    satisfaction: int | None = None
    words: str | None = None

    @property
    def content(self) -> bool:
        """Whether the requester is satisfied: answered, solved, and a rating of at least 3 基本满意 if there is one."""
        satisfied = self.satisfaction is None or self.satisfaction >= 3
        return bool(self.answered and self.solved and satisfied)


@dataclass(frozen=True, slots=True)
class Closing:
    """When the matter was closed, and until when it can be reopened (None in rows of earlier versions).

    `exemption` is why no answer of a return visit was needed.
    """

    at: datetime
    exemption: str | None = None
    reopen_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Merging:
    """The target of a merge, and the state that an unmerge restores."""

    into: str
    state: MatterState
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint matter: the same problem in different firms."""

    joint_id: str
    title: str


@dataclass(frozen=True, slots=True)
class ChartMilestone:
    """A step on the wall chart; `original_due_at` is never overwritten."""

    id: str
    title: str
    owner_department: str
    state: MilestoneState
    due_at: datetime
    original_due_at: datetime
    required: bool
    evidence: str | None = None
    blocker: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the milestone is done or waived."""
        return self.state in (MilestoneState.DONE, MilestoneState.WAIVED)


@dataclass(frozen=True, slots=True)
class Task:
    """A department's task in the matter."""

    id: str
    department: str
    title: str
    due_at: datetime | None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """A whole matter: one version of one row. `version` counts its events from 1.

    `parties` are all who may see it: whoever was offered it, and the departments. What belongs to a round
    (owner, offer, handling, visit) is empty again when the next one begins; `last_owner` outlives it.
    `aside` are the clocks that stand still while it is on the long-term list. `breaches`, `extensions` and the seconds
    of ended holds and shelvings only grow. `changed_at` is that of the last event (None in rows of earlier versions).
    """

    id: str
    requester_id: str
    channel: Channel
    kind: Kind
    urgency: Urgency
    received_at: datetime
    category: str | None = None
    version: int = 0
    state: MatterState = MatterState.RECEIVED
    round: int = 1
    round_began_at: datetime | None = None
    clocks: tuple[Clock, ...] = ()
    parties: tuple[str, ...] = ()
    dispatch: DispatchDecision | None = None
    pending: Pending | None = None
    offer: Offer | None = None
    owner: Party | None = None
    last_owner: Party | None = None
    taken_at: datetime | None = None
    contacted_at: datetime | None = None
    path: Path | None = None
    hold: Hold | None = None
    shelf: Shelf | None = None
    handling: Handling | None = None
    visit: Visit | None = None
    closing: Closing | None = None
    merging: Merging | None = None
    joint: Joint | None = None
    milestones: tuple[ChartMilestone, ...] = ()
    tasks: tuple[Task, ...] = ()
    aside: tuple[Clock, ...] = ()
    breaches: tuple[Breach, ...] = ()
    extensions: tuple[Extension, ...] = ()
    held_s: int = 0
    shelved_s: int = 0
    changed_at: datetime | None = None

    @property
    def final(self) -> bool:
        """Whether the state is final: no limit runs any more."""
        return self.state in FINAL

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest limit not yet met; None only in a final state."""
        return clocks.next_due(self.clocks)

    @property
    def act_at(self) -> datetime | None:
        """When the sweep must look at the matter next."""
        return clocks.next_act(self.clocks)

    @property
    def breached(self) -> bool:
        """Whether a running limit is recorded as broken."""
        return any(clock.missed and clock.paused_at is None for clock in self.clocks)

    @property
    def began_at(self) -> datetime:
        """When the round began: at the request, or at the reopening."""
        return self.round_began_at or self.received_at

    @property
    def lead_department(self) -> str | None:
        """The lead department."""
        return self.dispatch.lead_department if self.dispatch else None

    @property
    def park(self) -> str | None:
        """The enterprise's park; None when unknown."""
        return self.dispatch.park if self.dispatch else None

    @property
    def responsible(self) -> Party | None:
        """The responsible party: the owner, else the party of the open offer; None means the fallback desk."""
        if self.owner is not None:
            return self.owner
        return self.open_offer.party if self.open_offer is not None else None

    @property
    def open_offer(self) -> Offer | None:
        """The offer that waits for an answer; None without one."""
        return self.offer if self.offer and self.offer.state is OfferState.OFFERED else None


def with_offer_ended(matter: Matter, state: OfferState) -> Matter:
    """Return the matter with its open offer, if any, ended in `state`."""
    if matter.open_offer is None:
        return matter
    ended = replace(matter.open_offer, state=state)
    return replace(matter, offer=ended, clocks=clocks.without(matter.clocks, ClockKind.ACCEPT))
