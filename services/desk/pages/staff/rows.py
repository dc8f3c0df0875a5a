"""View models of a list: one row for each promise, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fastapi import Request

from services.desk.pages import visitors
from services.desk.pages.layout import acts_for
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.wording import (
    Chip,
    MomentInWords,
    Words,
    chip,
    moment_in_words,
    party_in_words,
    read_moment,
    words_in,
)
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import DeclineReason
from shared.runtime.ids import new_id

DECLINE_REASONS: Final = tuple(each.value for each in DeclineReason)
"""What an offer in a row may be declined for."""


@dataclass(frozen=True, slots=True)
class OfferToAnswer:
    """An offer that who looks may accept or decline, and the key that makes a second click the same step."""

    id: str
    why: str
    key: str


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A matter, or a milestone of one, with what it promises next; what is None is not shown."""

    key: str
    matter_id: str
    due_at: datetime | None
    chip: Chip | None
    summary: str
    requester: str
    facts: tuple[str, ...]
    urgency: str | None
    urgency_label: str | None
    state: str
    state_label: str
    whose: str
    received: MomentInWords | None
    version: int | None
    offer: OfferToAnswer | None


@dataclass(frozen=True, slots=True)
class RowsFor:
    """Makes rows for one reader at one moment."""

    principal: Principal
    now: datetime
    zone: tzinfo
    words: Words

    def of_matter(self, item: Mapping[str, Any]) -> PromiseRow:
        """The row of a matter in a list of followup's."""
        due_at, words = read_moment(item["next_due_at"]), self.words
        raised = item["urgency"] != "normal"
        received = datetime.fromisoformat(item["received_at"])
        lead, responsible = item["lead_department"], item["responsible"]
        facts = (
            item["park"],
            words(f"page.kind.{item['kind']}"),
            item["category"],
            item["names"].get(lead, lead),
        )
        return PromiseRow(
            key=item["matter_id"],
            matter_id=item["matter_id"],
            due_at=due_at,
            chip=self._chip(item["next_clock"], due_at),
            summary=item["summary"],
            requester=item["requester"]["name"],
            facts=tuple(fact for fact in facts if fact),
            urgency=item["urgency"] if raised else None,
            urgency_label=words(f"page.urgency.{item['urgency']}") if raised else None,
            state=item["state"],
            state_label=words(f"state.{item['state']}"),
            whose=party_in_words(responsible["kind"], responsible["name"], words),
            received=moment_in_words(received, self.now, self.zone, words),
            version=item["version"],
            offer=self._offer(item["offer"]),
        )

    def of_milestone(self, item: Mapping[str, Any]) -> PromiseRow:
        """The row of a milestone on the wall chart."""
        due_at, words = datetime.fromisoformat(item["due_at"]), self.words
        owner = item["owner_department"]
        return PromiseRow(
            key=item["id"],
            matter_id=item["matter_id"],
            due_at=due_at,
            chip=self._chip("milestone", due_at),
            summary=item["title"],
            requester=item["requester_name"],
            facts=tuple(fact for fact in (item["park"], item["summary"]) if fact),
            urgency=None,
            urgency_label=None,
            state=item["state"],
            state_label=words(f"desk.milestone.{item['state']}"),
            whose=item["names"].get(owner, owner),
            received=None,
            version=None,
            offer=None,
        )

    def _chip(self, clock: str | None, due_at: datetime | None) -> Chip | None:
        if clock is None or due_at is None:
            return None
        return chip(clock, due_at, self.now, self.zone, self.words)

    def _offer(self, offer: Mapping[str, Any] | None) -> OfferToAnswer | None:
        if offer is None or not acts_for(
            self.principal, offer["party"]["id"], offer["party"]["kind"]
        ):
            return None
        return OfferToAnswer(offer["offer_id"], offer["why"], str(new_id()))


def rows_for(request: Request, principal: Principal) -> RowsFor:
    """What makes rows for who looks, now and in their language."""
    here = surroundings_of(request)
    return RowsFor(principal, here.clock(), here.zone, words_in(visitors.language(request)))
