"""A town's calendar with days off that nobody knew of when limits were computed."""

from datetime import date
from pathlib import Path

from shared.calendar import WorkingCalendar
from shared.calendar.china import load_calendar

DAY = '[[day]]\ndate = {}\nis = "holiday"\nreason = "台风停工"\n'


def calendar_with_days_off(
    folder: Path, *days: date, years: tuple[int, int] = (2025, 2028)
) -> WorkingCalendar:
    """The national calendar of these years, and these days off besides."""
    file = folder / "calendar.toml"
    file.write_text("".join(DAY.format(day) for day in days), encoding="utf-8")
    return load_calendar(file, *years)
