"""Writes the page of one matter for its reader: everything in words, nothing decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from services.desk.handlers.matter import Dossier
from services.desk.pages.layout import acts_for
from services.desk.pages.staff.matter_models import (
    AskedRow,
    ClockRow,
    MatterView,
    MilestoneRow,
    StoryEntry,
    TaskRow,
)
from services.desk.pages.wording import (
    MomentInWords,
    Words,
    chip,
    moment_in_words,
    party_in_words,
    read_moment,
    rule_in_words,
)
from shared.auth.tokens import Principal
from shared.runtime.ids import new_id

NOISE: Final = frozenset({"matter.reminded", "matter.rescheduled", "matter.supervised"})
"""What the system says by itself again and again: folded in the story."""

OURS: Final = "urn:liaison:"
"""Before the names of this system's own parts."""

SAID: Final = ("note", "text", "answer", "message", "reason", "why", "exemption", "words", "title")
"""Members of an event in which a person's words stand, the first that is there counts."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the parts of one matter for one reader at one moment."""

    names: Mapping[str, str]
    now: datetime
    zone: tzinfo
    words: Words

    def at(self, moment: datetime) -> MomentInWords:
        return moment_in_words(moment, self.now, self.zone, self.words)

    def maybe_at(self, written: str | None) -> MomentInWords | None:
        moment = read_moment(written)
        return None if moment is None else self.at(moment)

    def party(self, party: str) -> str:
        return self.names.get(party, party)

    def request(self, request: Mapping[str, Any]) -> AskedRow:
        facts = (
            self.words(f"page.kind.{request['kind']}"),
            self.words(f"desk.channel.{request['channel']}"),
            request["category"],
        )
        return AskedRow(
            request["summary"],
            request["detail"],
            request["requester"]["name"],
            tuple(fact for fact in facts if fact),
            self.at(datetime.fromisoformat(request["received_at"])),
            request["location"],
            tuple(request["attachments"]),
        )

    def clock(self, clock: Mapping[str, Any]) -> ClockRow:
        due = datetime.fromisoformat(clock["due_at"])
        moved = clock["original_due_at"] != clock["due_at"]
        return ClockRow(
            self.words(f"clock.{clock['clock']}"),
            self.at(due),
            self.maybe_at(clock["original_due_at"]) if moved else None,
            due <= self.now and clock["paused_at"] is None,
            clock["paused_at"] is not None,
            clock["extensions"],
        )

    def milestone(self, item: Mapping[str, Any]) -> MilestoneRow:
        moved = item["original_due_at"] != item["due_at"]
        return MilestoneRow(
            item["id"],
            item["title"],
            self.party(item["owner_department"]),
            self.words(f"desk.milestone.{item['state']}"),
            item["light"],
            self.at(datetime.fromisoformat(item["due_at"])),
            self.maybe_at(item["original_due_at"]) if moved else None,
            item["required"],
            item["evidence"],
            item["blocker"],
            item["state"] in ("done", "waived"),
        )

    def task(self, item: Mapping[str, Any]) -> TaskRow:
        return TaskRow(
            item["id"],
            item["title"],
            self.party(item["department"]),
            self.maybe_at(item["due_at"]),
            self.maybe_at(item["done_at"]),
        )

    def actor(self, actor: Mapping[str, str]) -> str:
        """Who did something: a person or department by name, what is no person in words."""
        role, party = actor.get("role", ""), actor.get("party", "")
        if role in ("clock", "requester") or party.startswith(OURS):
            return self.words(f"desk.role.{role}")
        return self.party(party)

    def entry(self, item: Mapping[str, Any]) -> StoryEntry:
        data = item["data"]
        said = next((str(data[name]) for name in SAID if data.get(name)), "")
        return StoryEntry(
            item["version"],
            item["label"],
            self.at(datetime.fromisoformat(item["at"])),
            self.actor(item["actor"]),
            said,
            item["type"] in NOISE,
        )

    def rule(self, dispatch: Mapping[str, Any] | None) -> str | None:
        if dispatch is None:
            return None
        return rule_in_words(dispatch["catalogue_version"], dispatch["rule_id"], self.words)


def matter_view(
    dossier: Dossier, principal: Principal, now: datetime, zone: tzinfo, words: Words
) -> MatterView:
    """The page of a matter for one reader."""
    matter = dossier.matter
    write = _Writer(matter["names"], now, zone, words)
    parts = _head(matter, write) | _work(matter, write) | _history(dossier, write)
    return MatterView(
        **parts,
        offer_id=_open_offer(matter, principal),
        offer_key=str(new_id()),
        story_is_whole=dossier.is_whole,
    )


def _head(matter: Mapping[str, Any], write: _Writer) -> dict[str, Any]:
    """What the matter is, where it stands and who has it."""
    words, due_at, dispatch = write.words, read_moment(matter["next_due_at"]), matter["dispatch"]
    clock, raised = matter["next_clock"], matter["urgency"] != "normal"
    waiting, outcome = matter["pending_reason"], matter["outcome"]
    responsible = matter["responsible"]
    return {
        "id": matter["matter_id"],
        "version": matter["version"],
        "summary": matter["summary"],
        "state": matter["state"],
        "state_label": words(f"state.{matter['state']}"),
        "urgency": matter["urgency"] if raised else None,
        "urgency_label": words(f"page.urgency.{matter['urgency']}") if raised else None,
        "round": matter["round"],
        "chip": chip(clock, due_at, write.now, write.zone, words) if clock and due_at else None,
        "whose": party_in_words(responsible["kind"], responsible["name"], words),
        "lead": write.party(matter["lead_department"]) if matter["lead_department"] else None,
        "co": tuple(write.party(each) for each in dispatch["co_departments"]) if dispatch else (),
        "rule": write.rule(dispatch),
        "waiting": words(f"page.pending.{waiting}") if waiting else None,
        "outcome": words(f"desk.outcome.{outcome}") if outcome else None,
        "answer": matter["answer"],
        "merged_into": matter["merged_into"],
        "joined": matter["joined_with"],
    }


def _work(matter: Mapping[str, Any], write: _Writer) -> dict[str, Any]:
    """What runs and what is being done, and what the reader may do to it."""
    steps = matter["steps"]
    return {
        "clocks": [write.clock(each) for each in matter["clocks"]],
        "milestones": [write.milestone(each) for each in matter["milestones"]],
        "tasks": [write.task(each) for each in matter["tasks"]],
        "withheld": [each["detail"] for each in matter["withheld"]],
        "can_change_milestones": "milestones" in steps,
        "can_finish_tasks": "task-done" in steps,
    }


def _history(dossier: Dossier, write: _Writer) -> dict[str, Any]:
    """What was asked, and what happened since."""
    matter = dossier.matter
    return {
        "asked": [write.request(each) for each in matter["requests"]],
        "messages": [
            {"at": write.maybe_at(each["at"]), "text": each["message"]}
            for each in matter["messages"]
        ],
        "story": [write.entry(each) for each in dossier.story],
    }


def _open_offer(matter: Mapping[str, Any], principal: Principal) -> str | None:
    offer = matter["offer"]
    if offer is None or offer["state"] != "offered":
        return None
    party = offer["party"]
    return str(offer["offer_id"]) if acts_for(principal, party["id"], party["kind"]) else None
