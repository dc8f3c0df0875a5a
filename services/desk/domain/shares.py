"""Shares as people read them: rounded so that 100 % means all, and marked where there are too few to compare."""

from dataclasses import dataclass
from typing import Final

FEW: Final = 10
"""A share of fewer answers says little: one of them moves it by ten points or more."""


@dataclass(frozen=True, slots=True)
class Share:
    """`percent` is None where there is nothing to divide by."""

    numerator: int
    denominator: int
    percent: float | None
    is_of_few: bool


def share_of(numerator: int, denominator: int) -> Share:
    """A share with one decimal. 100 is said of all of them alone, 0 of none."""
    if denominator <= 0:
        return Share(numerator, denominator, None, is_of_few=True)
    percent = round(100 * numerator / denominator, 1)
    if numerator < denominator:
        percent = min(percent, 99.9)
    if numerator > 0:
        percent = max(percent, 0.1)
    return Share(numerator, denominator, percent, denominator < FEW)
