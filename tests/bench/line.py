"""What a measurement says: a figure of ours beside a floor and peers that were measured in the same run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `goal` is what `ours` must be to the one it is held against, in words; `met` whether it is."""

    number: int
    name: str
    unit: str
    ours: float
    beside: Mapping[str, float] = field(default_factory=dict)
    goal: str = ""
    met: bool = True
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Ours to each of the others."""
        return {name: self.ours / other for name, other in self.beside.items() if other}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a measurement may write, how long it is to be, and whom it tells how far it has come."""

    folder: Path
    say: Callable[[str], None]
    brief: bool = False
    """A few seconds of everything, to see that it works; its figures mean nothing."""
    long: bool = False
    """As long as the promise says where that is minutes: ten of memory under load."""


Measure: TypeAlias = Callable[[Scope], Awaitable[list[Line]]]
"""One of the modules of this folder: brings up what it needs, measures, takes it down again."""
