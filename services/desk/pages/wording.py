"""Moments and lengths of time in words, as the pages show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TypeAlias

from shared.contracts.vocabulary import PartyKind
from shared.messages.catalogue import text

Words: TypeAlias = Callable[..., str]
"""`text` in one language."""


@dataclass(frozen=True, slots=True)
class MomentInWords:
    """A moment for machines and for people."""

    iso: str
    words: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A promise in a few words: which one, how long until it, and whether that has passed."""

    clock: str
    distance: str
    late: bool
    at: MomentInWords


def words_in(lang: str) -> Words:
    """The catalogue in one language."""
    return partial(text, lang=lang)


def read_moment(written: str | None) -> datetime | None:
    """A moment of an interface; None for none."""
    return None if written is None else datetime.fromisoformat(written)


def span(length: timedelta, words: Words) -> str:
    """A length of time in words, to the minute below a day and to the hour above; a negative one as its opposite."""
    minutes = int(abs(length).total_seconds()) // 60
    if minutes == 0:
        return words("page.time.moments")
    if minutes < 60:
        return words("page.time.minutes", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return words("page.time.hours", hours=hours, minutes=minutes)
    return words("page.time.days", days=hours // 24, hours=hours % 24)


def moment_in_words(at: datetime, now: datetime, zone: tzinfo, words: Words) -> MomentInWords:
    """A moment in the town's time: the hour alone today, the day too in this year, else all of it."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        shown = words("page.at.time", at=local)
    elif local.year == today.year:
        shown = words("page.at.day", at=local)
    else:
        shown = day_and_time(local, words)
    return MomentInWords(local.isoformat(timespec="seconds"), shown)


def day_and_time(local: datetime, words: Words) -> str:
    """A moment of the town's time with its year."""
    return words("page.at.year", at=local)


def party_in_words(kind: str, name: str, words: Words) -> str:
    """A party by its name, the town's desk in words."""
    return words("page.desk") if kind == PartyKind.DESK else name


def rule_in_words(version: int | None, rule_id: str | None, words: Words) -> str:
    """Which rule of which version of the catalogue decided; without a rule none applied."""
    if rule_id is None:
        return words("page.no_rule")
    return words("page.rule", version=version, rule=rule_id)


def left_out_in_words(counts: Mapping[str, int], words: Words) -> str:
    """What a rate does not count, by reason; empty where it counts everything."""
    parts = [
        words("page.rate.part", label=words(f"page.left_out.{reason}"), count=count)
        for reason, count in counts.items()
        if count
    ]
    return words("page.rate.left_out", parts=words("page.comma").join(parts)) if parts else ""


def chip(clock: str, due_at: datetime, now: datetime, zone: tzinfo, words: Words) -> Chip:
    """The chip of a promise that runs."""
    late = due_at <= now
    distance = words("page.due.over" if late else "page.due.in", time=span(due_at - now, words))
    return Chip(words(f"clock.{clock}"), distance, late, moment_in_words(due_at, now, zone, words))
