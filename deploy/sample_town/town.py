"""Reads the sample town's files."""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

FOLDER: Final = Path(__file__).parent / "data"
ZONE: Final = ZoneInfo("Asia/Shanghai")
COORDINATORS: Final = ("C001", "C002")
"""Two, so that a return visit can always be made by one who did not handle the matter."""

END_OF_WORK: Final = time(17, 0)
_DAYS_AHEAD = re.compile(r"\+(\d{1,4})d")


@dataclass(frozen=True, slots=True)
class Story:
    """One request of the town: its submission and channel, and its steps until it `ends` in that state."""

    submission: Mapping[str, Any]
    via: str
    covers: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    ends: str

    @property
    def name(self) -> str:
        """Its id at the sending system."""
        return str(self.submission["source_ref"])

    @property
    def key(self) -> tuple[str, str]:
        """Its permanent name: `source` and `source_ref`."""
        return str(self.submission["source"]), self.name

    @property
    def round(self) -> int:
        """The round in which it ends, from 1."""
        return 1 + sum(1 for step in self.steps if step["do"] == "reopen")


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the town's CSV files, by the names in its header."""
    with FOLDER.joinpath(f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def catalogue() -> bytes:
    """Return the dispatch catalogue's file."""
    return FOLDER.joinpath("catalogue.csv").read_bytes()


def stories() -> tuple[Story, ...]:
    """Return the town's requests in the order of arrival."""
    lines = FOLDER.joinpath("requests.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_story(json.loads(line)) for line in lines)


def _story(row: Mapping[str, Any]) -> Story:
    ending = row["ending"]
    return Story(
        row["submission"], row["via"], tuple(row["covers"]), tuple(ending["steps"]), ending["ends"]
    )


def parties() -> list[tuple[str, str]]:
    """Return every acting party of the town as (role, party): liaisons, departments' desks, coordinators."""
    return [
        *(("liaison", row["id"]) for row in table("liaisons")),
        *(("department", row["id"]) for row in table("departments")),
        *(("coordinator", party) for party in COORDINATORS),
    ]


def names() -> dict[str, str]:
    """The names of liaisons and departments by their ids."""
    return {row["id"]: row["name"] for name in ("liaisons", "departments") for row in table(name)}


def day(written: str, today: date) -> date:
    """A date of the files: `2026-03-01`, or `+5d` for five days after `today`. ValueError when it is neither."""
    ahead = _DAYS_AHEAD.fullmatch(written)
    return today + timedelta(days=int(ahead[1])) if ahead else date.fromisoformat(written)


def dated(step: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """`step` with every `+Nd` in it as a moment: the end of the working day N days from `now`."""
    return {name: _dated(value, now) for name, value in step.items()}


def _dated(value: object, now: datetime) -> object:
    if isinstance(value, Mapping):
        return dated(value, now)
    if isinstance(value, list):
        return [_dated(each, now) for each in value]
    if isinstance(value, str) and _DAYS_AHEAD.fullmatch(value):
        found = day(value, now.astimezone(ZONE).date())
        return datetime.combine(found, END_OF_WORK, ZONE).isoformat()
    return value
