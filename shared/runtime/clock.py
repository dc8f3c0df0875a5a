"""The clock as a parameter: business time can be shifted; leases and retries use the database's clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Tells the present moment, aware and in UTC."""


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def shifted_clock(offset_file: Path) -> Clock:
    """The machine's time plus the seconds written in `offset_file`, read at each call; for rehearsals.

    A missing or unreadable file means no shift, so that a rehearsal can end by removing it.
    """

    def clock() -> datetime:
        try:
            offset = timedelta(seconds=float(offset_file.read_text()))
        except (OSError, ValueError):
            offset = timedelta()
        return system_clock() + offset

    return clock


def clock_from(offset_file: Path | None) -> Clock:
    """Return the clock of the settings."""
    return system_clock if offset_file is None else shifted_clock(offset_file)
