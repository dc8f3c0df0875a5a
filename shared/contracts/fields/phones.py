"""Telephone numbers as people write them: kept as written, and compared by their digits."""

import re
from typing import Final

from shared.contracts.fields.folding import fold

_LABEL: Final = (
    r"(?:(?:手机|座机|电话|固话|办公电话|联系电话|传真|tel|phone|mobile|cell|fax)\s*[:.]?\s*)?"
)
_EXTENSION: Final = r"(?:\s*(?:转|分机|ext\.?|extension|x|#)\s*:?\s*\d{1,6})?"
_NOTE: Final = r"(?:\s*\([^()\d]{1,12}\))?"
_NUMBER: Final = rf"{_LABEL}(?:\+|\(\+)?[(\d](?:[\d()./\- ‐‑–—]*\d)\)?{_EXTENSION}{_NOTE}"
_PHONES: Final = re.compile(rf"{_NUMBER}(?:\s*(?:[/、,;|]|或|和|及|or)\s*{_NUMBER}){{0,4}}")
# What a program made of a number that it took for a measure: 13812345678.0 has a digit too many.
_FRACTION: Final = re.compile(r"\d{5,}\.0+(?!\d)")
_RUN: Final = re.compile(r"\d+")
_FEWEST_DIGITS: Final = 3
# Two numbers with nothing but a space between them are one run of digits.
_MOST_DIGITS: Final = 32
_JOINTS: Final = re.compile(r"[/、,;|]|或|和|及|or")
_AFTER: Final = re.compile(r"转|分机|ext|x|#")


def is_phone(text: str) -> bool:
    """Whether the text is one to five telephone numbers, each of 3 to 32 digits, with extensions if any."""
    folded = fold(text)
    if _FRACTION.search(folded):
        return False
    return _PHONES.fullmatch(folded) is not None and all(
        _FEWEST_DIGITS <= len(number) <= _MOST_DIGITS for number in digits_of(text)
    )


def digits_of(text: str) -> tuple[str, ...]:
    """The digits of each number, without extensions: what two ways to write the same number have in common."""
    numbers = (_AFTER.split(part)[0] for part in _JOINTS.split(fold(text)))
    return tuple("".join(_RUN.findall(number)) for number in numbers)
