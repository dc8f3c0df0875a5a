"""Followup's settings, and its file of limits."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.followup.domain.limits import Limits, LimitTable
from shared.calendar import Limit
from shared.service.settings import ServiceSettings


def _read_limit(value: object) -> Limit:
    if isinstance(value, Limit):
        return value
    return Limit.parse(str(value))


LimitField = Annotated[Limit, BeforeValidator(_read_limit)]


class LimitEntry(BaseModel):
    """The limits of one category, such as `1wd`, `2h`, `15cd`; what is left out is as in the default."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    first_contact: LimitField | None = None
    interim: LimitField | None = None
    simple: LimitField | None = None
    complex: LimitField | None = None
    feedback: LimitField | None = None
    return_visit: LimitField | None = None
    reopening: LimitField | None = None

    def over(self, usual: Limits) -> Limits:
        """Return these limits, completed by the defaults."""
        return Limits(
            self.first_contact or usual.first_contact,
            self.interim or usual.interim,
            self.simple or usual.simple,
            self.complex or usual.complex,
            self.feedback or usual.feedback,
            self.return_visit or usual.return_visit,
            self.reopening or usual.reopening,
        )


class LimitsFile(BaseModel):
    """The town's own limits: `default`, and categories by their path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: LimitEntry = LimitEntry()
    categories: dict[str, LimitEntry] = Field(default_factory=dict)


def load_limits(path: Path | None) -> LimitTable:
    """The limits of the file, the defaults without one. Raises ValueError or OSError when it cannot be used."""
    if path is None:
        return LimitTable()
    file = LimitsFile.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    usual = file.default.over(Limits())
    return LimitTable(usual, {name: entry.over(usual) for name, entry in file.categories.items()})


class Settings(ServiceSettings):
    """Followup's settings; each is a variable `LIAISON_<NAME>`."""

    desk: str = Field(
        "DESK",
        min_length=1,
        description="the fallback desk, responsible for matters without an owner",
    )
    limits_file: Path | None = Field(
        None, description='JSON: {"default": {"interim": "3wd"}, "categories": {"安全生产": {…}}}'
    )
