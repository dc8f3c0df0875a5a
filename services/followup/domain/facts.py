"""Facts: what can happen to a matter; the fields are those of the published events."""

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
    """The requester, without contact."""

    kind: RequesterKind
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RunningLimit:
    """A limit with the calendar version that computed it."""

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
    """The matter waits without an offer."""

    pending_reason: PendingReason
    review_at: datetime
    dispatch: DispatchDecision | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """The matter was offered to a party."""

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
    """A party accepted the matter."""

    offer_id: str
    owner: Party
    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class Contacted:
    """The first contact was made."""

    note: str | None


@dataclass(frozen=True, slots=True)
class Amended:
    """A message of the requester; `request_id` is set for a request that was merged into the matter."""

    message: str
    about: Amendment = Amendment.MESSAGE
    request_id: str | None = None
    solved: bool | None = None
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class FedBack:
    """The requester got interim feedback."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The matter is on the wall chart."""

    milestones: tuple[ChartMilestone, ...]


@dataclass(frozen=True, slots=True)
class MilestoneChanged:
    """One milestone changed."""

    milestone: ChartMilestone
    reason: str | None


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A department got a task, or finished it."""

    task_id: str
    department: str
    title: str
    done: bool


@dataclass(frozen=True, slots=True)
class Held:
    """The matter is on hold for the requester; clocks pause."""

    reason: str
    resume_at: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """Work and clocks go on after a hold or the long-term list."""

    deadlines: RunningLimits


@dataclass(frozen=True, slots=True)
class Extended:
    """A limit was extended."""

    clock: ClockKind
    old_due_at: datetime
    new_due_at: datetime
    reason: str
    approver: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """The matter is on the long-term list."""

    reason: str
    review_at: datetime


@dataclass(frozen=True, slots=True)
class Handled:
    """The owner reports the work as done."""

    outcome: Outcome
    answer: str
    path: Path
    on_time: bool


@dataclass(frozen=True, slots=True)
class Visited:
    """A return visit was made or attempted."""

    reached: bool
    answered: bool
    solved: bool | None
    satisfaction: int | None
    words: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The matter is closed."""

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
    """The requester withdrew the request."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request is rejected: another authority is responsible."""

    reason: str
    channel: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """A limit is near; the responsible party is reminded."""

    clock: ClockKind
    due_at: datetime
    to: str


@dataclass(frozen=True, slots=True)
class Supervised:
    """A limit has ended."""

    clock: ClockKind
    due_at: datetime
    to: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """A limit stays broken; the next level is informed."""

    clock: ClockKind
    due_at: datetime
    level: EscalationLevel
    to: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The matter is merged into another."""

    into: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unmerged:
    """The merge was undone."""

    out_of: str
    reason: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The matter is linked to others with the same problem."""

    joint_id: str
    title: str


Fact: TypeAlias = (
    Opened | DispatchAwaited | Offered | Returned | Taken | Contacted | Amended | FedBack | Planned
    | MilestoneChanged | TaskChanged | Held | Resumed | Extended | Shelved | Handled | Visited
    | Closed | Reopened | Withdrawn | Rejected | Reminded | Supervised | Escalated | Merged
    | Unmerged | Joined | Rescheduled
)  # fmt: skip
