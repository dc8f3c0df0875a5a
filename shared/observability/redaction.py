"""Describes an exception without the values that it quotes, which may be personal."""

import traceback
from pathlib import Path
from typing import Final

import asyncpg

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ("services", "shared", "deploy", "tests")
PLUMBING: Final = tuple(
    ROOT / "shared" / room
    for room in ("auth", "delivery", "http", "messages", "observability", "runtime", "service")
)


class Plain(RuntimeError):
    """An error whose message is a constant text without values, and so may be shown."""


def reason_of(fault: BaseException) -> str:
    """Return an exception's kind and our line that met it, for logs and operators, without quoted values."""
    words = type(fault).__name__
    if isinstance(fault, asyncpg.PostgresError):
        # Its message and detail quote the row.
        named = (fault.sqlstate, fault.table_name, fault.column_name, fault.constraint_name)
        words += f" ({' '.join(part for part in named if part)})"
    elif isinstance(fault, OSError | Plain):
        words += f": {fault}"
    return words + _place(fault)


def _place(fault: BaseException) -> str:
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        file = Path(frame.filename)
        # The plumbing is on every path; what it was doing for whom says more.
        if file.is_relative_to(ROOT) and not any(map(file.is_relative_to, PLUMBING)):
            place = file.relative_to(ROOT)
            if place.parts[0] in OURS:
                return f" at {place}:{frame.lineno} in {frame.name}"
    return ""
