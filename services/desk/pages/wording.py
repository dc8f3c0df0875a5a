"""Moments and lengths of time in words, as the pages show them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TypeAlias

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
        shown = words("page.at.year", at=local)
    return MomentInWords(local.isoformat(timespec="seconds"), shown)


def chip(clock: str, due_at: datetime, now: datetime, zone: tzinfo, words: Words) -> Chip:
    """The chip of a promise that runs."""
    late = due_at <= now
    distance = words("page.due.over" if late else "page.due.in", time=span(due_at - now, words))
    return Chip(words(f"clock.{clock}"), distance, late, moment_in_words(due_at, now, zone, words))
