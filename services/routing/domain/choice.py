"""Chooses the party for an offer: never an absent one, always one; every considered candidate is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.routing.domain.parties import NO_TIES, Party, Ties, Town
from shared.contracts.vocabulary import Candidacy, PartyKind


class Verdict(StrEnum):
    """Verdicts on a candidate."""

    TAKEN = "taken"
    ABSENT = "absent"
    AT_CAPACITY = "at_capacity"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Considered:
    """A candidate with its verdict; `until` is the end of an absence, if known."""

    party: Party
    candidacy: Candidacy
    verdict: Verdict
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A matter's input to the choice.

    `ruled` is who a coordinator's ruling names and `returning` who had the round before. `answered` says who
    declined or let time run out in this round. Without a fitting rule there is no `lead_department`.
    """

    ties: Ties = NO_TIES
    lead_department: str | None = None
    ruled: str | None = None
    returning: str | None = None
    answered: Mapping[str, Verdict] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen party, and all candidates in the order considered."""

    party: Party
    candidacy: Candidacy
    considered: tuple[Considered, ...]


def choose(need: Need, town: Town, load: Mapping[str, int]) -> Choice:
    """Return the first candidate who is present, has capacity and has not answered in this round; else the fallback
    desk.

    `load` counts the matters that each liaison holds, offered and accepted together.
    """
    considered: list[Considered] = []
    taken: Considered | None = None
    for party_id, candidacy in _candidates(need, town).items():
        party = _party(party_id, town)
        if taken is not None:
            considered.append(Considered(party, candidacy, Verdict.NOT_REACHED))
            continue
        verdict, until = _verdict(party, candidacy, need, town, load)
        candidate = Considered(party, candidacy, verdict, until)
        considered.append(candidate)
        if verdict is Verdict.TAKEN:
            taken = candidate
    if taken is None:
        # The fallback desk takes what nobody else can, even what it has let lie before.
        taken = Considered(town.fallback, Candidacy.FALLBACK_DESK, Verdict.TAKEN)
        considered.append(taken)
    else:
        considered.append(Considered(town.fallback, Candidacy.FALLBACK_DESK, Verdict.NOT_REACHED))
    return Choice(taken.party, taken.candidacy, tuple(considered))


def choose_each(needs: Sequence[Need], town: Town, load: Mapping[str, int]) -> list[Choice]:
    """Return a choice for each need, in order; each reduces the capacity left for the next."""
    counted = dict(load)
    choices = []
    for need in needs:
        choice = choose(need, town, counted)
        if choice.party.kind is PartyKind.LIAISON:
            counted[choice.party.id] = counted.get(choice.party.id, 0) + 1
        choices.append(choice)
    return choices


def _candidates(need: Need, town: Town) -> dict[str, Candidacy]:
    """Return each candidate once, in order of choice; an absent liaison's named deputy follows the liaison."""
    found: dict[str, Candidacy] = {}
    for party_id, candidacy in _named(need):
        found.setdefault(party_id, candidacy)
        # A circle of absent stand-ins ends where it closes.
        away = town.away.get(party_id)
        while away is not None and away.deputy is not None and away.deputy not in found:
            found[away.deputy] = Candidacy.DEPUTY
            away = town.away.get(away.deputy)
    # It comes last, whoever named it.
    found.pop(town.fallback.id, None)
    return found


def _named(need: Need) -> list[tuple[str, Candidacy]]:
    named = [
        (need.ruled, Candidacy.RULED),
        (need.returning, Candidacy.RETURNING),
        (need.ties.primary, Candidacy.PRIMARY),
        *((deputy, Candidacy.DEPUTY) for deputy in need.ties.deputies),
        (need.lead_department, Candidacy.DEPARTMENT_DESK),
    ]
    return [(party_id, candidacy) for party_id, candidacy in named if party_id is not None]


def _party(party_id: str, town: Town) -> Party:
    liaison = town.liaisons.get(party_id)
    if liaison is not None:
        return liaison.party
    return town.desks.get(party_id) or Party(party_id, PartyKind.LIAISON, party_id)


def _verdict(
    party: Party, candidacy: Candidacy, need: Need, town: Town, load: Mapping[str, int]
) -> tuple[Verdict, datetime | None]:
    if party.id in town.desks:
        return _answered(party.id, candidacy, need) or Verdict.TAKEN, None
    liaison = town.liaisons.get(party.id)
    if liaison is None:
        return Verdict.UNKNOWN, None
    away = town.away.get(party.id)
    if away is not None:
        return Verdict.ABSENT, away.until
    answered = _answered(party.id, candidacy, need)
    if answered is not None:
        return answered, None
    # A coordinator who names a person has weighed that person's load.
    if candidacy is not Candidacy.RULED and load.get(party.id, 0) >= liaison.capacity:
        return Verdict.AT_CAPACITY, None
    return Verdict.TAKEN, None


def _answered(party_id: str, candidacy: Candidacy, need: Need) -> Verdict | None:
    """Return the party's answer earlier in this round, as a verdict; a ruling overrides it."""
    if need.answered is None or candidacy is Candidacy.RULED:
        return None
    return need.answered.get(party_id)
