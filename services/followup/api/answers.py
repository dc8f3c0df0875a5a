"""Followup's response models."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from services.followup.domain.access import Step
from services.followup.domain.clocks import Breach, Extension, Stage
from services.followup.domain.facts import RequestingParty
from services.followup.domain.matter import (
    Closing,
    DispatchDecision,
    Handling,
    Hold,
    Joint,
    Offer,
    Party,
    Shelf,
    Visit,
)
from services.followup.domain.rates import GroupBy
from shared.contracts.events.event import Actor
from shared.contracts.vocabulary import (
    Amendment,
    Channel,
    ClockKind,
    Kind,
    Light,
    MatterState,
    MilestoneState,
    Outcome,
    Path,
    PendingReason,
    Urgency,
)

NAMES: Final = "names of the parties named here by id, as far as the directory has them"


class MatterStanding(BaseModel):
    """Where a matter stands. `version` is what `If-Match` takes; `responsible` is never empty."""

    matter_id: UUID
    version: int
    state: MatterState
    round: int
    path: Path | None
    outcome: Outcome | None
    channel: Channel
    kind: Kind
    category: str | None
    urgency: Urgency
    park: str | None
    lead_department: str | None
    received_at: datetime
    owner: Party | None
    responsible: Party
    pending_reason: PendingReason | None
    next_due_at: datetime | None = Field(description="null only in a final state")
    breached: bool = Field(description="a promise that still runs was broken")


class MatterInList(MatterStanding):
    """A matter in a list. `offer` is the one that waits for an answer."""

    summary: str
    requester: RequestingParty
    next_clock: ClockKind | None = Field(description="which promise is due at `next_due_at`")
    offer: Offer | None
    names: dict[str, str] = Field(description=NAMES)


class RunningClock(BaseModel):
    """A promise that runs, and how far it has come on the ladder."""

    clock: ClockKind
    due_at: datetime
    original_due_at: datetime
    remind_at: datetime | None
    stage: Stage
    breached: bool = Field(description="whether it was ever broken; a later limit changes nothing")
    paused_at: datetime | None
    calendar_version: str
    extensions: int = Field(description="how often the limit was moved")


class MilestoneShown(BaseModel):
    """A step on the wall chart with its computed light."""

    id: UUID
    title: str
    owner_department: str
    state: MilestoneState
    light: Light | None
    due_at: datetime
    original_due_at: datetime
    required: bool
    evidence: str | None
    blocker: str | None


class TaskShown(BaseModel):
    """What a department does for the matter."""

    id: UUID
    department: str
    title: str
    due_at: datetime | None
    done_at: datetime | None
    done: bool


class WithheldStep(BaseModel):
    """A step that would be refused now, the problem's code, and what to do first."""

    step: Step
    code: str
    detail: str


class MatterShown(MatterStanding):
    """A matter with all that belongs to it, and the steps that the caller may take now."""

    dispatch: DispatchDecision | None
    offer: Offer | None
    last_owner: Party | None
    taken_at: datetime | None
    contacted_at: datetime | None
    clocks: list[RunningClock]
    set_aside: list[RunningClock] = Field(description="clocks that stand still while it is shelved")
    breaches: list[Breach] = Field(description="every promise that was broken, in all rounds")
    extensions: list[Extension] = Field(description="every limit that was moved, in all rounds")
    milestones: list[MilestoneShown]
    tasks: list[TaskShown]
    hold: Hold | None
    shelf: Shelf | None
    answer: str | None
    handling: Handling | None
    return_visit: Visit | None
    closing: Closing | None
    merged_into: UUID | None
    joint: Joint | None
    steps: list[Step]
    withheld: list[WithheldStep] = Field(
        description="steps that state and role allow, and that would be refused now"
    )


class RequestShown(BaseModel):
    """A request as it came, without its contact."""

    request_id: UUID
    source: str
    source_ref: str
    channel: Channel
    kind: Kind
    category: str | None
    requester: RequestingParty
    summary: str
    detail: str
    location: str | None
    urgency: Urgency
    occurred_at: datetime | None
    received_at: datetime
    attachments: list[str]


class RequesterWords(BaseModel):
    """What the holder of a receipt added: facts, or an answer or a withdrawal that could not take effect."""

    request_id: UUID
    at: datetime
    about: Amendment
    message: str
    solved: bool | None
    satisfaction: int | None


class MatterWhole(MatterShown):
    """A matter and everything that was asked in it: its own request first, then those merged into it."""

    summary: str
    requester: RequestingParty
    requests: list[RequestShown]
    merged_from: list[UUID]
    joined_with: list[UUID]
    messages: list[RequesterWords]
    next_clock: ClockKind | None = Field(description="which promise is due at `next_due_at`")
    names: dict[str, str] = Field(description=NAMES)


class Cause(BaseModel):
    """What a change followed from: an event of another service, a clock, or a step that somebody took."""

    kind: str
    id: str


class HistoryEntry(BaseModel):
    """One change of a matter; `data` is the event's own."""

    version: int
    event_id: UUID
    type: str
    label: str
    at: datetime
    actor: Actor
    cause: Cause
    state: MatterState | None
    round: int | None
    data: dict[str, Any]


class ChartedMilestone(MilestoneShown):
    """A milestone on the wall, and the matter that it is of."""

    matter_id: UUID
    summary: str
    requester_name: str
    park: str | None
    owner: str | None
    names: dict[str, str] = Field(description=NAMES)


class RateShown(BaseModel):
    """A share with all that it is made of; `rate` is null when there is nothing to divide by."""

    rate: float | None = Field(ge=0, le=1)
    numerator: int
    denominator: int
    left_out: dict[str, int]


class SpreadShown(BaseModel):
    """Seconds that half and nine tenths stayed within."""

    p50_s: float | None
    p90_s: float | None
    count: int


class RatesOfGroup(BaseModel):
    """The rates and times of a group; `key` is null for the whole and for what has none."""

    key: str | None
    rates: dict[str, RateShown]
    times: dict[str, SpreadShown]


class RatesOfPeriod(RatesOfGroup):
    """The rates of a period as a whole, and of each group when asked `by` something."""

    since: datetime = Field(alias="from")
    to: datetime
    by: GroupBy | None
    items: list[RatesOfGroup]
