"""View models of a list: one row for each promise, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from services.desk.pages.layout import acts_for
from services.desk.pages.wording import (
    Chip,
    MomentInWords,
    Words,
    chip,
    moment_in_words,
    read_moment,
)
from shared.auth.tokens import Principal


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
    new_key: Any

    def of_matter(self, item: Mapping[str, Any]) -> PromiseRow:
        """The row of a matter in a list of followup's."""
        due_at, words = read_moment(item["next_due_at"]), self.words
        raised = item["urgency"] != "normal"
        received = datetime.fromisoformat(item["received_at"])
        lead = item["lead_department"]
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
            whose=self._whose(item["responsible"]),
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

    def _whose(self, party: Mapping[str, str]) -> str:
        return self.words("page.desk") if party["kind"] == "desk" else party["name"]

    def _offer(self, offer: Mapping[str, Any] | None) -> OfferToAnswer | None:
        if offer is None or not acts_for(
            self.principal, offer["party"]["id"], offer["party"]["kind"]
        ):
            return None
        return OfferToAnswer(offer["offer_id"], offer["why"], self.new_key())
