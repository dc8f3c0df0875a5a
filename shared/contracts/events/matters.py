"""What followup says on `liaison.matters`: every change of a matter, with the state that it left the matter in."""

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.events.assignments import Dispatch, PartyRef
from shared.contracts.events.event import Instant, MatterEvent, Part
from shared.contracts.events.requests import RequesterRef, Satisfaction
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    ClockKind,
    Kind,
    MatterState,
    MilestoneState,
    Outcome,
    Path,
    PendingReason,
    ReopenCause,
    Urgency,
)


class Deadline(Part):
    """A limit as it was computed: when it runs out, and by which version of the working calendar."""

    clock: ClockKind
    due_at: Instant
    calendar_version: str


class Milestone(Part):
    """A step on the wall chart; `original_due_at` is never overwritten."""

    id: str
    title: str
    owner_department: str
    state: MilestoneState
    due_at: Instant
    original_due_at: Instant
    required: bool
    evidence: str | None = None
    blocker: str | None = None


class MatterChanged(MatterEvent):
    """What every event of a matter says: its state, its round and the next promised moment after the change.

    `next_due_at` is None only in a final state (closed, merged, rejected, withdrawn).
    """

    TOPIC: ClassVar[str] = topics.MATTERS

    state: MatterState
    round: int
    next_due_at: Instant | None = None


class MatterOpened(MatterChanged):
    """A request was registered, so a matter is open, whoever will have it."""

    TYPE: ClassVar[str] = "matter.opened"

    request_id: str
    requester: RequesterRef
    channel: Channel
    kind: Kind
    category: str | None = None
    summary: str
    urgency: Urgency
    received_at: Instant
    deadlines: tuple[Deadline, ...] = ()
    follows: str | None = None


class MatterWaiting(MatterChanged):
    """Nobody is offered the matter for now, and why; with the catalogue's decision where it is a new one."""

    TYPE: ClassVar[str] = "matter.waiting"

    pending_reason: PendingReason
    review_at: Instant
    dispatch: Dispatch | None = None


class MatterOffered(MatterChanged):
    """A party is offered the matter."""

    TYPE: ClassVar[str] = "matter.offered"

    offer_id: str
    party: PartyRef
    candidacy: Candidacy
    why: str
    expires_at: Instant
    dispatch: Dispatch
    deadlines: tuple[Deadline, ...] = ()


class MatterReturned(MatterChanged):
    """An offer ended without an owner: declined, timed out or taken back."""

    TYPE: ClassVar[str] = "matter.returned"

    offer_id: str
    party: PartyRef
    ended: str
    reason: str | None = None


class MatterTaken(MatterChanged):
    """A party accepted and owns the matter."""

    TYPE: ClassVar[str] = "matter.taken"

    offer_id: str
    owner: PartyRef
    deadlines: tuple[Deadline, ...] = ()


class MatterContacted(MatterChanged):
    """The owner made the first contact with the requester."""

    TYPE: ClassVar[str] = "matter.contacted"

    note: str | None = None


class MatterFedBack(MatterChanged):
    """The requester was told how it stands; the next feedback is due by `next_due_at` at the latest."""

    TYPE: ClassVar[str] = "matter.fed_back"

    text: str


class MatterPlanned(MatterChanged):
    """The matter goes on the wall chart with these milestones (挂图作战)."""

    TYPE: ClassVar[str] = "matter.planned"

    milestones: tuple[Milestone, ...]


class MatterMilestoneChanged(MatterChanged):
    """One milestone changed; a moved limit says why."""

    TYPE: ClassVar[str] = "matter.milestone_changed"

    milestone: Milestone
    reason: str | None = None


class MatterTaskChanged(MatterChanged):
    """A department was given a task in the matter, or finished it."""

    TYPE: ClassVar[str] = "matter.task_changed"

    task_id: str
    department: str
    title: str
    done: bool


class MatterHeld(MatterChanged):
    """Clocks pause while the requester is waited for, until `resume_at` at the latest."""

    TYPE: ClassVar[str] = "matter.held"

    reason: str
    resume_at: Instant


class MatterResumed(MatterChanged):
    """Clocks run again; each deadline moved by the working time of the pause."""

    TYPE: ClassVar[str] = "matter.resumed"

    deadlines: tuple[Deadline, ...] = ()


class MatterExtended(MatterChanged):
    """A limit was moved, with its old value, the reason and who approved."""

    TYPE: ClassVar[str] = "matter.extended"

    clock: ClockKind
    old_due_at: Instant
    new_due_at: Instant
    reason: str
    approver: str


class MatterShelved(MatterChanged):
    """On the long-term list, looked at again by `review_at` (挂账)."""

    TYPE: ClassVar[str] = "matter.shelved"

    reason: str
    review_at: Instant


class MatterHandled(MatterChanged):
    """The work is done as far as its owner can say; the return visit is due."""

    TYPE: ClassVar[str] = "matter.handled"

    outcome: Outcome
    answer: str
    path: Path
    on_time: bool


class MatterVisited(MatterChanged):
    """A return visit was made or tried; unreached never counts as satisfied."""

    TYPE: ClassVar[str] = "matter.visited"

    reached: bool
    answered: bool
    solved: bool | None = None
    satisfaction: Satisfaction | None = None
    words: str | None = None
    attempt: int


class MatterClosed(MatterChanged):
    """Settled: a return visit's answer is there, or a recorded exemption names who granted it and why.

    Until `reopen_until` it can be reopened.
    """

    TYPE: ClassVar[str] = "matter.closed"

    outcome: Outcome
    exemption: str | None = None
    reopen_until: Instant | None = None


class MatterReopened(MatterChanged):
    """Another round begins, with the same liaison first."""

    TYPE: ClassVar[str] = "matter.reopened"

    cause: ReopenCause
    reason: str
    last_owner: PartyRef | None = None


class MatterWithdrawn(MatterChanged):
    """The requester took it back."""

    TYPE: ClassVar[str] = "matter.withdrawn"

    reason: str | None = None


class MatterRejected(MatterChanged):
    """Not ours to take: why, and the lawful channel for it."""

    TYPE: ClassVar[str] = "matter.rejected"

    reason: str
    channel: str


class MatterMerged(MatterChanged):
    """The same firm, the same problem: followed in `into` from now on (并单)."""

    TYPE: ClassVar[str] = "matter.merged"

    into: str
    reason: str


class MatterUnmerged(MatterChanged):
    """The merge was undone; the matter goes on by itself."""

    TYPE: ClassVar[str] = "matter.unmerged"

    out_of: str
    reason: str


class MatterJoined(MatterChanged):
    """Linked to others of the same problem in different firms (共性事项)."""

    TYPE: ClassVar[str] = "matter.joined"

    joint_id: str
    title: str
