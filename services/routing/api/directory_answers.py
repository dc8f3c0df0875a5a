"""Response models of the directory and the catalogue."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.routing.api.answers import DispatchShown
from shared.contracts.vocabulary import Tier, TieRole


def entered(entry: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The answers to a PUT of the directory: 201 for an entry that is new, 200 for one that was there."""
    return {
        201: {"model": entry, "description": "Entered"},
        200: {"model": entry, "description": "Changed, or as it was"},
    }


class DepartmentShown(BaseModel):
    """A department."""

    id: str
    name: str
    phone_desk: str | None


class LiaisonShown(BaseModel):
    """A liaison."""

    id: str
    name: str
    department_id: str
    capacity: int


class LiaisonInList(LiaisonShown):
    """A liaison with what they hold and whether they are away now."""

    load: int
    away: bool


class EnterpriseShown(BaseModel):
    """An enterprise under its unified social credit code."""

    uscc: str
    name: str
    park: str | None
    industry: str | None
    tier: Tier


class TieShown(BaseModel):
    """Who looks after an enterprise, and when."""

    id: str
    uscc: str
    liaison_id: str
    role: TieRole
    since: date = Field(alias="from")
    until: date | None
    reason: str


class AbsenceShown(BaseModel):
    """When a liaison is away, and who stands in."""

    id: str
    liaison_id: str
    since: datetime = Field(alias="from")
    until: datetime | None
    deputy_id: str | None


class FileEntered(BaseModel):
    """What came of a file's rows. Of a workbook `sheet` was read, `hidden_sheets` were not."""

    kind: str
    rows: int
    created: int
    changed: int
    unchanged: int
    sheet: str | None = None
    hidden_sheets: list[str] = []


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
