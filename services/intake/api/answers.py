"""Intake's response models."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.intake.domain import HolderStep, RowOutcome
from shared.contracts.vocabulary import (
    Channel,
    Kind,
    MatterState,
    Outcome,
    RequesterKind,
    Urgency,
)
from shared.http.problems import FieldProblem


class Acknowledgement(BaseModel):
    """The answer to a submission."""

    request_id: UUID
    receipt: str
    status_url: str


class OneOfBatch(BaseModel):
    """The result for one event of a batch: what was taken, or the problem document, by `status`."""

    model_config = ConfigDict(extra="allow")

    status: int
    request_id: UUID | None = None
    receipt: str | None = None
    status_url: str | None = None
    type: str | None = None
    title: str | None = None
    detail: str | None = None
    errors: list[FieldProblem] | None = None


class TimelineEntry(BaseModel):
    """Something that happened to the request, in words for its holder."""

    at: datetime
    type: str
    label: str
    words: str | None = None


class Rejection(BaseModel):
    """Why a request was not taken, and the lawful channel for it."""

    reason: str
    channel: str | None


class RequestStatus(BaseModel):
    """What became of a request, for whoever holds its receipt; `may` are the steps that are open to them now."""

    request_id: UUID
    state: MatterState
    state_label: str
    round: int
    summary: str
    received_at: datetime
    owner: str | None
    next_due_at: datetime | None
    outcome: Outcome | None
    answer: str | None
    reopen_until: datetime | None
    merged_into: UUID | None
    rejection: Rejection | None
    may: list[HolderStep]
    timeline: list[TimelineEntry]


class StepTaken(BaseModel):
    """A step of the holder was taken in."""

    request_id: UUID


class ContactShown(BaseModel):
    """Whom to call."""

    name: str
    phone: str


class RequesterShown(BaseModel):
    """Who asks, with their contact."""

    kind: RequesterKind
    id: str
    name: str
    contact: ContactShown | None


class RequestWithContact(BaseModel):
    """All that was sent."""

    request_id: UUID
    source: str
    source_ref: str
    channel: Channel
    kind: Kind
    category: str | None
    requester: RequesterShown
    summary: str
    detail: str
    location: str | None
    urgency: Urgency
    occurred_at: datetime | None
    received_at: datetime
    attachments: list[Any]


class ImportEntered(BaseModel):
    """A file was kept; its rows are taken within moments. Of a workbook `sheet` was read, `hidden_sheets` were not."""

    import_id: UUID
    status_url: str
    rows: int
    sheet: str | None = None
    hidden_sheets: list[str] = []


class RowError(BaseModel):
    """What is wrong with a field of a row, and what to do."""

    pointer: str
    code: str
    detail: str


class ImportedRow(BaseModel):
    """What became of a row; `row` counts as in a spreadsheet, where the header is row 1."""

    row: int
    outcome: RowOutcome
    request_id: UUID | None
    receipt: str | None
    status_url: str | None
    errors: list[RowError]


class ImportStatus(BaseModel):
    """How far a file has come; `items` are its rows in order. `faulty_url` gives back those that must be mended."""

    import_id: UUID
    state: Literal["running", "done"]
    created_at: datetime
    rows: int
    counts: dict[RowOutcome, int]
    faulty_url: str | None
    items: list[ImportedRow]
    next: str | None
