"""Response models of the directory."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

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
