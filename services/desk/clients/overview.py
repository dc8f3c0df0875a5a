"""Followup's overview as the live page reads it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from services.desk.clients.services import ServiceProblem, Services, Visitor
from services.desk.clients.transport import ServiceAway
from shared.contracts.events.assignments import PartyRef
from shared.contracts.vocabulary import (
    Candidacy,
    ClockKind,
    Kind,
    MatterState,
    PendingReason,
    RequesterKind,
    Urgency,
)

log = structlog.get_logger()

PATH: Final = "/followup/overview"


class _Read(BaseModel):
    """A part of the answer. Members that the page does not show are passed over."""

    model_config = ConfigDict(frozen=True)


class NamedRequester(_Read):
    """Who asks."""

    kind: RequesterKind
    name: str


class CatalogueDecision(_Read):
    """Which rule of which version of the catalogue decided; without a rule none applied."""

    catalogue_version: int | None
    rule_id: str | None


class MadeOffer(_Read):
    """Whom a matter was offered last, and why."""

    party: PartyRef
    candidacy: Candidacy
    why: str


class NewMatter(_Read):
    """A matter that came in."""

    matter_id: str
    received_at: datetime
    summary: str
    requester: NamedRequester
    park: str | None
    kind: Kind
    category: str | None
    urgency: Urgency
    state: MatterState
    pending_reason: PendingReason | None
    dispatch: CatalogueDecision | None
    last_offer: MadeOffer | None


class NextPromise(_Read):
    """A promise, and who has to keep it."""

    matter_id: str
    summary: str
    clock: ClockKind
    due_at: datetime
    whose: PartyRef


class TownRate(_Read):
    """A share with all that it is made of; `rate` is None when there is nothing to divide by."""

    rate: float | None
    numerator: int
    denominator: int
    left_out: Mapping[str, int] = {}


class Overview(_Read):
    """What is new, what is due first, how many matters are in each state, and the three rates."""

    at: datetime
    arrivals: tuple[NewMatter, ...]
    due: tuple[NextPromise, ...]
    counts: Mapping[MatterState, int]
    rates: Mapping[str, TownRate]


async def load_overview(services: Services, visitor: Visitor, limit: int) -> Overview | None:
    """Return the overview as `visitor` may see it; None when followup answers with something else.

    Raises Problem 503 when it does not answer.
    """
    try:
        return Overview.model_validate(await services.get(visitor, PATH, limit=limit))
    except ServiceProblem as refusal:
        log.warning("desk.no_overview", status=refusal.status, type=refusal.document.get("type"))
    except (ServiceAway, ValidationError) as fault:
        log.warning("desk.no_overview", fault=type(fault).__name__)
    return None
