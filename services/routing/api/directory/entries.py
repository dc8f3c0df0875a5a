"""Entries of the directory as request bodies or file rows, and the errors of refused ones."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from services.routing.api.edge import Body
from services.routing.handlers.commands.directory import (
    BadDates,
    IdTaken,
    Missing,
    OwnDeputy,
    PrimaryOverlap,
)
from services.routing.store.directory.entries import (
    Absence,
    Department,
    EnterpriseEntry,
    LiaisonEntry,
    Tie,
)
from shared.contracts.fields import uscc
from shared.contracts.fields.types import WHOLE, Day, MomentOrDay, Name, Note, PartyId, Phone, Uscc
from shared.contracts.vocabulary import Tier, TieRole
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem

RESERVED = ("me",)


def _free(party_id: str) -> str:
    if party_id in RESERVED:
        raise PydanticCustomError("reserved_id", "the id is a reserved word")
    # Parties and enterprises share the keys of the directory's topic.
    if uscc.broken_rule(party_id) is None:
        raise PydanticCustomError("code_as_id", "the id is an enterprise's code")
    return party_id


NewPartyId = Annotated[PartyId, AfterValidator(_free)]

Refused: TypeAlias = IdTaken | Missing | PrimaryOverlap | BadDates | OwnDeputy


class DepartmentBody(Body):
    """A department. `phone_desk` is the number of its desk."""

    name: Name
    phone_desk: Phone | None = None


class LiaisonBody(Body):
    """A liaison. `capacity`: how many matters they may hold at once, offered and accepted; 0 is none."""

    name: Name
    department_id: PartyId
    capacity: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 20


class EnterpriseBody(Body):
    """An enterprise: its park, what it does, and its weight in the town (重点, 规上, 一般)."""

    name: Name
    park: Name | None = None
    industry: Name | None = None
    tier: Tier = Tier.GENERAL


class TieBody(Body):
    """Who looks after an enterprise, from the first day to the last, both included; without `until`, further notice."""

    uscc: Uscc
    liaison_id: PartyId
    role: TieRole = TieRole.PRIMARY
    since: Day = Field(alias="from")
    until: Day | None = None
    reason: Note = "结对"


class AbsenceBody(Body):
    """Away from `from` to `until`: moments, or days, which count from their first to their last minute."""

    since: MomentOrDay = Field(alias="from")
    until: MomentOrDay | None = None
    deputy_id: PartyId | None = None


def department_of(department_id: str, body: DepartmentBody) -> Department:
    """Return the department in a body."""
    return Department(department_id, body.name, body.phone_desk)


def liaison_of(liaison_id: str, body: LiaisonBody) -> LiaisonEntry:
    """Return the liaison in a body."""
    return LiaisonEntry(liaison_id, body.name, body.department_id, body.capacity)


def enterprise_of(code: str, body: EnterpriseBody) -> EnterpriseEntry:
    """Return the enterprise in a body."""
    return EnterpriseEntry(code, body.name, body.park, body.industry, body.tier)


def tie_of(tie_id: str, body: TieBody) -> Tie:
    """Return the tie in a body."""
    return Tie(tie_id, body.uscc, body.liaison_id, body.role, body.since, body.until, body.reason)


def absence_of(liaison_id: str, absence_id: str, body: AbsenceBody, zone: ZoneInfo) -> Absence:
    """Return the absence in a body; days are those of the town's `zone`."""
    until = None if body.until is None else _end(body.until, zone)
    return Absence(liaison_id, absence_id, _beginning(body.since, zone), until, body.deputy_id)


def _beginning(given: date | datetime, zone: ZoneInfo) -> datetime:
    moment = given if isinstance(given, datetime) else datetime.combine(given, time.min, zone)
    return moment.astimezone(UTC)


def _end(given: date | datetime, zone: ZoneInfo) -> datetime:
    return _beginning(given if isinstance(given, datetime) else given + timedelta(days=1), zone)


def problem_of(refused: Refused, lang: str) -> Problem:
    """Return the problem document of a refused entry."""
    match refused:
        case IdTaken(party_id=party_id):
            return Problem(409, "party_of_another_kind", params={"id": party_id})
        case PrimaryOverlap(tie_id=tie_id):
            params = {"tie": tie_id}
            return Problem(409, "primary_overlap", params=params, members={"tie_id": tie_id})
        case Missing() | BadDates() | OwnDeputy():
            error = error_of(refused, lang, "/body/")
            params = {name: getattr(refused, name, "") for name in ("what", "id")}
            return Problem(422, error.code, params=params, errors=[error])


def error_of(refused: Refused, lang: str, place: str) -> FieldError:
    """Return a refused entry as a field error below `place`."""
    match refused:
        case IdTaken(party_id=party_id):
            what, code, params = "id", "party_of_another_kind", {"id": party_id}
        case PrimaryOverlap(tie_id=tie_id):
            what, code, params = "from", "primary_overlap", {"tie": tie_id}
        case Missing(what=what, id=missing):
            code, params = "unknown_reference", {"what": what, "id": missing}
        case BadDates(what=what):
            code, params = "bad_dates", {}
        case OwnDeputy():
            what, code, params = "deputy_id", "own_deputy", {}
    return FieldError(place + what, code, text(f"problem.{code}.detail", lang, **params))
