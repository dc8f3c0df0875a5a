"""Response models of the dispatch catalogue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.routing.api.answers import DispatchShown


class SheetWarning(BaseModel):
    """Something in a catalogue that is allowed and worth a look; `row` counts as in a spreadsheet."""

    code: str
    row: int | None
    column: str | None
    found: str
    detail: str


class DraftAdded(BaseModel):
    """A catalogue that was uploaded."""

    version: int
    state: str
    rules: int
    warnings: list[SheetWarning]


class DraftUploaded(DraftAdded):
    """A catalogue as it was read. Of a workbook `sheet` was read, `hidden_sheets` were not."""

    sheet: str | None = None
    hidden_sheets: list[str] = []


class VersionInList(DraftAdded):
    """A version of the catalogue: `draft`, `active` or `retired`."""

    created_at: datetime
    created_by: str
    activated_at: datetime | None
    activated_by: str | None


class VersionWhole(VersionInList):
    """A version with its file as it was uploaded."""

    source: str


class VersionActivated(BaseModel):
    """The version in force."""

    version: int
    state: str


class BeforeAndAfter(BaseModel):
    """A field that a version would decide otherwise."""

    before: Any
    after: Any


class RequestChanged(BaseModel):
    """A past request that a version would treat otherwise."""

    request_id: UUID
    summary: str
    changed: dict[str, BeforeAndAfter]
    before: DispatchShown
    after: DispatchShown


class TrialDone(BaseModel):
    """What a version would have decided otherwise; `changes` has the newest 200."""

    version: int
    tried: int
    changed: int
    unchanged: int
    without_rule: int
    by_rule: dict[str, int]
    changes: list[RequestChanged]
