"""View models of one matter's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.desk.pages.wording import Chip, MomentInWords


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """One line of the story: what, when, who, in which words. `is_noise` folds it."""

    version: int
    label: str
    at: MomentInWords
    who: str
    said: str
    is_noise: bool


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A promise: which, until when, and since when another date stood there."""

    label: str
    due: MomentInWords
    original: MomentInWords | None
    late: bool
    paused: bool
    extensions: int


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A step on the wall chart."""

    id: str
    title: str
    whose: str
    state_label: str
    light: str | None
    due: MomentInWords
    original: MomentInWords | None
    required: bool
    evidence: str | None
    blocker: str | None
    is_finished: bool


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What a department does for the matter."""

    id: str
    title: str
    whose: str
    due: MomentInWords | None
    done: MomentInWords | None


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A request as it came."""

    summary: str
    detail: str
    requester: str
    facts: tuple[str, ...]
    at: MomentInWords
    location: str | None
    attachments: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class MatterView:
    """The page of one matter; what is None or empty is not shown."""

    id: str
    version: int
    summary: str
    state: str
    state_label: str
    urgency: str | None
    urgency_label: str | None
    round: int
    chip: Chip | None
    whose: str
    lead: str | None
    co: tuple[str, ...]
    rule: str | None
    asked: Sequence[AskedRow]
    messages: Sequence[Mapping[str, Any]]
    clocks: Sequence[ClockRow]
    milestones: Sequence[MilestoneRow]
    tasks: Sequence[TaskRow]
    answer: str | None
    outcome: str | None
    waiting: str | None
    withheld: Sequence[str]
    can_change_milestones: bool
    can_finish_tasks: bool
    offer_id: str | None
    offer_key: str
    merged_into: str | None
    joined: Sequence[str]
    story: Sequence[StoryEntry]
    story_is_whole: bool
