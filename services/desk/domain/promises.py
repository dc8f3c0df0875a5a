"""One list by the next promised moment: which promises are late, which are for today, and what comes after."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar


class When(StrEnum):
    """How soon a promise is due."""

    LATE = "late"
    TODAY = "today"
    LATER = "later"
    OPEN = "open"


ORDER: Final = tuple(When)


class Promised(Protocol):
    """Something with a promise; None where none runs."""

    @property
    def due_at(self) -> datetime | None: ...


Row = TypeVar("Row", bound=Promised)


@dataclass(frozen=True, slots=True)
class DueSection(Generic[Row]):
    """The rows of one part of the list, the earliest first."""

    when: When
    rows: Sequence[Row]


def when_due(due_at: datetime | None, now: datetime, zone: tzinfo) -> When:
    """How soon a promise is due, by the days of the town."""
    if due_at is None:
        return When.OPEN
    if due_at <= now:
        return When.LATE
    is_today = due_at.astimezone(zone).date() == now.astimezone(zone).date()
    return When.TODAY if is_today else When.LATER


def by_promise(rows: Iterable[Row], now: datetime, zone: tzinfo) -> list[DueSection[Row]]:
    """The rows in their sections, each sorted by what is due first; a section without rows is left out."""
    found: dict[When, list[Row]] = {each: [] for each in ORDER}
    for row in rows:
        found[when_due(row.due_at, now, zone)].append(row)
    return [
        DueSection(when, sorted(some, key=lambda row: row.due_at or now))
        for when, some in found.items()
        if some
    ]


def gone_from(known: Sequence[str], found: Container[str], *, is_whole: bool) -> frozenset[str]:
    """Which of `known`, the keys of a shown list in its order, left it, going by what it holds now.

    Where `found` is only the beginning of the list, rows after the last one found may have been pushed out by earlier
    ones: they have not left.
    """
    end = len(known)
    while not is_whole and end and known[end - 1] not in found:
        end -= 1
    return frozenset(key for key in known[:end] if key not in found)
