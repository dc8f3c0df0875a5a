"""Request bodies of the steps: sizes bounded, unknown fields refused."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.fields import WHOLE, Erasable, Line, Moment, PartyNamed, Words
from shared.contracts.requests import Satisfaction
from shared.contracts.vocabulary import ClockKind, MilestoneState, Outcome, Path, ReopenCause


class Body(BaseModel):
    """A step's body."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FirstContactBody(Body):
    """The owner spoke to the requester."""

    note: Words | None = None


class FeedbackBody(Body):
    """What the requester was told."""

    text: Words


class MilestoneBody(Body):
    """One milestone of a plan."""

    title: Line
    owner_department: PartyNamed
    due_at: Moment
    required: bool = True


class PlanBody(Body):
    """The milestones of the wall chart, or more of them."""

    milestones: Annotated[tuple[MilestoneBody, ...], Field(min_length=1, max_length=50)]


class MilestoneChangeBody(Body):
    """What changes; a moved `due_at` needs a `reason`, an empty `blocker` takes the blocker away."""

    state: MilestoneState | None = None
    due_at: Moment | None = None
    reason: Words | None = None
    evidence: Words | None = None
    blocker: Erasable | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(each is None for each in (self.state, self.due_at, self.evidence, self.blocker)):
            raise ValueError("nothing to change")
        return self


class TaskBody(Body):
    """Something for a department to do."""

    department: PartyNamed
    title: Line
    due_at: Moment | None = None


class HoldBody(Body):
    """What the requester is waited for, until when at the latest."""

    reason: Words
    resume_at: Moment


class EmptyBody(Body):
    """A step that needs no words."""


class ExtendBody(Body):
    """A later limit for one clock."""

    clock: ClockKind
    new_due_at: Moment
    reason: Words


class ShelveBody(Body):
    """Why it goes on the long-term list, and when it is looked at again."""

    reason: Words
    review_at: Moment


class HandleBody(Body):
    """What came of it, and the answer for the requester."""

    outcome: Outcome
    answer: Words
    path: Path | None = None


class ReturnVisitBody(Body):
    """What the requester said. Somebody reached says at least whether it is solved; `answered` is true unless said."""

    reached: bool
    answered: bool | None = None
    solved: bool | None = None
    satisfaction: Annotated[Satisfaction, WHOLE] | None = None
    words: Words | None = None


class CloseBody(Body):
    """Without an answered return visit an exemption says why none was needed."""

    exemption: Words | None = None


class ReopenBody(Body):
    """Why another round begins."""

    cause: ReopenCause
    reason: Words


class RejectBody(Body):
    """Why it is not ours, and the lawful channel for it."""

    reason: Words
    channel: Line


class MergeBody(Body):
    """The matter of the same requester that it is followed in from now on."""

    into: UUID
    reason: Words


class UnmergeBody(Body):
    """Why the merge is undone."""

    reason: Words


class JoinBody(Body):
    """The joint matter (a new one without `joint_id`), and others that are linked to it in the same step."""

    joint_id: UUID | None = None
    title: Line
    others: Annotated[tuple[UUID, ...], Field(alias="with", max_length=50)] = ()
