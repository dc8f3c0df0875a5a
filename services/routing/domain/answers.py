"""What an answer to an offer does, and what a coordinator's ruling does: decisions, with every refusal named."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.routing.domain.choice import Verdict
from services.routing.domain.matter import Objection, ObjectionState, Offer
from shared.contracts.vocabulary import (
    DeclineReason,
    OfferState,
    PartyKind,
    Role,
    Ruling,
)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who answers: the role, and the party it speaks for."""

    role: Role
    party: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The party has the matter."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """The party is out of this round; the next candidate is offered the matter."""


@dataclass(frozen=True, slots=True)
class Objected:
    """The party names a better owner: a coordinator decides before the matter goes on."""

    suggested_owner: str


@dataclass(frozen=True, slots=True)
class NotYours:
    """Refused: the offer was made to somebody else."""


@dataclass(frozen=True, slots=True)
class NotOpen:
    """Refused: the offer has ended, and how; time that ran out a moment ago counts."""

    state: OfferState


@dataclass(frozen=True, slots=True)
class ObjectionSpent:
    """Refused: the party has objected once in this round already and was ruled upon."""


@dataclass(frozen=True, slots=True)
class SuggestsItself:
    """Refused: a better owner must be somebody else."""


AcceptDecision: TypeAlias = Accepted | NotYours | NotOpen
DeclineDecision: TypeAlias = (
    PassedOn | Objected | NotYours | NotOpen | ObjectionSpent | SuggestsItself
)


@dataclass(frozen=True, slots=True)
class Declination:
    """Why an offer is sent back, and who would be the better owner."""

    reason_code: DeclineReason
    suggested_owner: str | None = None
    note: str | None = None


def accept(offer: Offer, acting: Acting, now: datetime) -> AcceptDecision:
    """Whether the offer can be taken at `now` by who acts."""
    return _refused(offer, acting, now) or Accepted()


def decline(
    offer: Offer,
    acting: Acting,
    declination: Declination,
    objections: Iterable[Objection],
    now: datetime,
) -> DeclineDecision:
    """What sending the offer back does; `objections` are those of the matter so far."""
    refused = _refused(offer, acting, now)
    if refused is not None:
        return refused
    if declination.suggested_owner is None:
        return PassedOn()
    if declination.suggested_owner == offer.party.id:
        return SuggestsItself()
    if any(
        objection.round == offer.round and objection.raised_by.id == offer.party.id
        for objection in objections
    ):
        return ObjectionSpent()
    return Objected(declination.suggested_owner)


def _refused(offer: Offer, acting: Acting, now: datetime) -> NotYours | NotOpen | None:
    if not may_answer(offer, acting):
        return NotYours()
    if offer.state is not OfferState.OFFERED:
        return NotOpen(offer.state)
    return NotOpen(OfferState.TIMED_OUT) if offer.expires_at <= now else None


def may_answer(offer: Offer, acting: Acting) -> bool:
    """A coordinator answers for anybody, a liaison and a department's desk for themselves."""
    match acting.role:
        case Role.COORDINATOR:
            return True
        case Role.LIAISON:
            return offer.party.kind is PartyKind.LIAISON and offer.party.id == acting.party
        case Role.DEPARTMENT:
            return offer.party.kind is PartyKind.DEPARTMENT and offer.party.id == acting.party
        case Role.SYSTEM | Role.OPERATOR | Role.REQUESTER | Role.CLOCK:
            return False


@dataclass(frozen=True, slots=True)
class OfferedTo:
    """The ruling names who is offered the matter next."""

    party_id: str


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """Refused: the objection was ruled upon, ran out of time or lost its matter."""

    state: ObjectionState


RulingDecision: TypeAlias = OfferedTo | AlreadySettled


def rule(objection: Objection, ruling: Ruling, now: datetime) -> RulingDecision:
    """Upheld 改派: to the suggested owner. Overruled 维持: back to the party that objected. Once, and in time."""
    if objection.state is not ObjectionState.OPEN:
        return AlreadySettled(objection.state)
    if objection.review_at <= now:
        return AlreadySettled(ObjectionState.LAPSED)
    match ruling:
        case Ruling.UPHELD:
            return OfferedTo(objection.suggested_owner)
        case Ruling.OVERRULED:
            return OfferedTo(objection.raised_by.id)


def answered(offers: Iterable[Offer], round_: int) -> dict[str, Verdict]:
    """Who is out of the round: those who declined and those who let time run out."""
    verdicts = {
        OfferState.DECLINED: Verdict.DECLINED,
        OfferState.TIMED_OUT: Verdict.TIMED_OUT,
    }
    return {
        offer.party.id: verdicts[offer.state]
        for offer in offers
        if offer.round == round_ and offer.state in verdicts
    }
