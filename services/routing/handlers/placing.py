"""Chooses a party for each matter of a batch and makes the offers, in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.routing.catalogue.table import Catalogue
from services.routing.domain.choice import Choice, Need, choose_each
from services.routing.domain.dispatching import Facts, accept_by
from services.routing.domain.matter import Matter, Offer
from services.routing.domain.parties import NO_TIES, Away, Town
from services.routing.handlers import wording
from services.routing.handlers.changes import (
    ROUTING,
    Change,
    Decided,
    Placing,
    dispatch_of,
    party_ref,
)
from services.routing.handlers.office import Office
from services.routing.store import town as town_store
from services.routing.store.feed import QueueEntry
from services.routing.store.offers import NewOffer
from services.routing.store.town import Enterprise
from shared.contracts.assignments import OfferMade
from shared.contracts.vocabulary import OfferState, RequesterKind
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that the choices of one batch look at."""

    enterprises: Mapping[str, Enterprise]
    town: Town
    load: Mapping[str, int]
    catalogue: Catalogue


async def place(conn: Connection, office: Office, changes: Sequence[Change], now: datetime) -> None:
    """Make an offer in each of these changes, which all ask for one; the caller saves them.

    Locks the queues of the liaisons who may be chosen or whose offer ends, so that it must come before other
    queues are locked and after the matters are.
    """
    scene = await _set_scene(conn, office, changes, now)
    needs = [_need(change, scene) for change in changes]
    expiries: dict[tuple[int, bool], datetime] = {}
    for change, choice in zip(changes, choose_each(needs, scene.town, scene.load), strict=True):
        dispatched = change.dispatched
        key = (dispatched.accept_minutes, dispatched.urgency == "emergency")
        if key not in expiries:
            expiries[key] = accept_by(dispatched, now, office.calendar)
        _offer(change, choice, now, expiries[key], office.calendar.version)


async def _set_scene(
    conn: Connection, office: Office, changes: Sequence[Change], now: datetime
) -> _Scene:
    usccs = {uscc for change in changes if (uscc := _uscc(change.matter)) is not None}
    enterprises = (
        await town_store.load_enterprises(conn, sorted(usccs), office.today(now)) if usccs else {}
    )
    desks = await town_store.load_desks(conn)
    catalogue = await office.catalogue.at(conn, desks.catalogue_version)
    concerned = _concerned(changes, enterprises, await town_store.load_away(conn, now))
    liaisons, load = await town_store.lock_liaisons(conn, concerned)
    # An absence that was entered meanwhile is seen now: whoever enters one passes through the same locks.
    away = await town_store.load_away(conn, now)
    for change in changes:
        for entry in change.entries:
            if entry.party in load:
                load[entry.party] += entry.load
    town = Town(liaisons, away, desks.departments, desks.fallback)
    return _Scene(enterprises, town, load, catalogue)


def _uscc(matter: Matter) -> str | None:
    is_enterprise = matter.asked.requester_kind is RequesterKind.ENTERPRISE
    return matter.asked.requester_id if is_enterprise else None


def _concerned(
    changes: Iterable[Change], enterprises: Mapping[str, Enterprise], away: Mapping[str, Away]
) -> list[str]:
    """The liaisons who may be chosen, with all stand-ins, and those whose offers end."""
    found: set[str] = set()
    for enterprise in enterprises.values():
        found.update(enterprise.ties.deputies)
        if enterprise.ties.primary is not None:
            found.add(enterprise.ties.primary)
    for change in changes:
        found.update(entry.party for entry in change.entries)
        if change.placing is not None:
            found.update(filter(None, (change.placing.ruled, change.placing.returning)))
    fresh = list(found)
    while fresh:
        one = away.get(fresh.pop())
        if one is not None and one.deputy is not None and one.deputy not in found:
            found.add(one.deputy)
            fresh.append(one.deputy)
    return sorted(found)


def _need(change: Change, scene: _Scene) -> Need:
    """What the matter brings to the choice; asks the catalogue where the round begins."""
    placing, matter = _placing(change), change.matter
    enterprise = scene.enterprises.get(_uscc(matter) or "")
    if placing.decide_anew:
        park = enterprise.park if enterprise else None
        tier = enterprise.tier if enterprise else None
        asked = matter.asked
        words = "" if asked.category else f"{asked.summary}\n{asked.detail}"
        facts = Facts(asked.category, asked.kind, asked.urgency, park, tier, words)
        change.decided = Decided(scene.catalogue.dispatch(facts), park, tier)
    # A desk that had the round before is no one person who knows the firm; a liaison is.
    returning = placing.returning if placing.returning in scene.town.liaisons else None
    return Need(
        ties=enterprise.ties if enterprise else NO_TIES,
        lead_department=change.dispatched.lead_department,
        ruled=placing.ruled,
        returning=returning,
        answered=placing.answered,
    )


def _placing(change: Change) -> Placing:
    if change.placing is None:
        raise ValueError(f"nobody is to be found for {change.matter.id}")
    return change.placing


def _offer(
    change: Change, choice: Choice, now: datetime, expires_at: datetime, calendar_version: str
) -> None:
    matter, placing = change.matter, _placing(change)
    offer = Offer(
        id=new_id(),
        matter_id=matter.id,
        round=matter.round,
        attempt=matter.attempt + 1,
        party=choice.party,
        candidacy=choice.candidacy,
        state=OfferState.OFFERED,
        holding=True,
        expires_at=expires_at,
    )
    dispatched = change.dispatched
    change.made = NewOffer(
        offer=offer,
        cause=placing.cause,
        catalogue_version=dispatched.catalogue_version,
        rule_id=dispatched.rule_id,
        considered=choice.considered,
        received_at=matter.asked.received_at,
    )
    change.due_at = expires_at
    change.entries.append(QueueEntry(choice.party.id, offer.id, "offered", 1))
    change.events.append(_offer_made(change, change.made, now, calendar_version))


def _offer_made(change: Change, made: NewOffer, now: datetime, calendar_version: str) -> OfferMade:
    offer, dispatched = made.offer, change.dispatched
    return OfferMade(
        actor=ROUTING,
        matter_id=offer.matter_id,
        offer_id=offer.id,
        round=offer.round,
        attempt=offer.attempt,
        party=party_ref(offer.party),
        candidacy=offer.candidacy,
        why=wording.why(made.considered, dispatched.catalogue_version, dispatched.rule_id, "zh"),
        offered_at=now,
        expires_at=offer.expires_at,
        calendar_version=calendar_version,
        dispatch=dispatch_of(dispatched, change.park),
    )
