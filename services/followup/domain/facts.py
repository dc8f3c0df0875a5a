"""What can happen to a matter; the fields are those of the published events, and nothing is decided here."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.followup.domain.matter import ChartMilestone, DispatchDecision, Party
from services.followup.domain.moved import Rescheduled
from shared.contracts.vocabulary import (
    Amendment,
    Candidacy,
    Channel,
    ClockKind,
    EscalationLevel,
    Kind,
    Outcome,
    Path,
    PendingReason,
    ReopenCause,
    RequesterKind,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class RequestingParty:
    """Who asks, without their contact."""

    kind: RequesterKind
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RunningLimit:
    """A limit as it was computed."""

    clock: ClockKind
    due_at: datetime
    calendar_version: str


RunningLimits: TypeAlias = tuple[RunningLimit, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A request was registered."""

    request_id: str
    requester: RequestingParty
    channel: Channel
    kind: Kind
    category: str | None
    summary: str
    urgency: Urgency
    received_at: datetime
    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class DispatchAwaited:
    """Nobody is offered it for now."""

    pending_reason: PendingReason
    review_at: datetime
    dispatch: DispatchDecision | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A party is offered it."""

    offer_id: str
    party: Party
    candidacy: Candidacy
    why: str
    expires_at: datetime
    dispatch: DispatchDecision
    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class Returned:
    """An offer ended without an owner."""

    offer_id: str
    party: Party
    ended: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A party owns it."""

    offer_id: str
    owner: Party
    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class Contacted:
    """The first contact was made."""

    note: str | None


@dataclass(frozen=True, slots=True)
class Amended:
    """The requester's words; `request_id` is set where they are of a request that was merged into the matter."""

    message: str
    about: Amendment = Amendment.MESSAGE
    request_id: str | None = None
    solved: bool | None = None
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class FedBack:
    """The requester was told how it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """It is on the wall chart."""

    milestones: tuple[ChartMilestone, ...]


@dataclass(frozen=True, slots=True)
class MilestoneChanged:
    """One milestone changed."""

    milestone: ChartMilestone
    reason: str | None


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A department has a task, or finished it."""

    task_id: str
    department: str
    title: str
    done: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Clocks pause while the requester is waited for."""

    reason: str
    resume_at: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """Work goes on, and its clocks."""

    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class Extended:
    """A limit was moved."""

    clock: ClockKind
    old_due_at: datetime
    new_due_at: datetime
    reason: str
    approver: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """On the long-term list."""

    reason: str
    review_at: datetime


@dataclass(frozen=True, slots=True)
class Handled:
    """The work is done as far as its owner can say."""

    outcome: Outcome
    answer: str
    path: Path
    on_time: bool


@dataclass(frozen=True, slots=True)
class Visited:
    """A return visit was made or tried."""

    reached: bool
    answered: bool
    solved: bool | None
    satisfaction: int | None
    words: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Settled."""

    outcome: Outcome
    exemption: str | None


@dataclass(frozen=True, slots=True)
class Reopened:
    """Another round begins."""

    cause: ReopenCause
    reason: str
    last_owner: Party | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The requester took it back."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not ours to take."""

    reason: str
    channel: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """A limit is near."""

    clock: ClockKind
    due_at: datetime
    to: str


@dataclass(frozen=True, slots=True)
class Supervised:
    """A limit ran out."""

    clock: ClockKind
    due_at: datetime
    to: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """A limit stays broken."""

    clock: ClockKind
    due_at: datetime
    level: EscalationLevel
    to: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Followed in another matter from now on."""

    into: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unmerged:
    """It goes on by itself."""

    out_of: str
    reason: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Linked to others of the same problem."""

    joint_id: str
    title: str


Fact: TypeAlias = (
    Opened | DispatchAwaited | Offered | Returned | Taken | Contacted | Amended | FedBack | Planned
    | MilestoneChanged | TaskChanged | Held | Resumed | Extended | Shelved | Handled | Visited
    | Closed | Reopened | Withdrawn | Rejected | Reminded | Supervised | Escalated | Merged
    | Unmerged | Joined | Rescheduled
)  # fmt: skip
