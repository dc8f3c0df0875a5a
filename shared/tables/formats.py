"""Number formats of a workbook, and numbers as a person sees them in their cells."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from shared.tables.sections import written_number, written_text
from shared.tables.table import ERROR_TEXT

MAX_DIGITS: Final = 15
"""Decimal digits that a spreadsheet keeps of a number."""
_LEAP_DAY: Final = 60
_LAST_DAY: Final = 2_958_466
_EPOCH_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's moments have no zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet's moments have no zone
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NOT_CODE: Final = re.compile(r'"[^"]*"|[\\!].|[_*].|\[(?![hHmMsS]+\])[^\]]*\]')
_ELAPSED: Final = re.compile(r"\[[hHmMsS]+\]")
# LibreOffice's name of General in some languages has the letters of a day and a second.
_PLAIN: Final = re.compile(r"general|standard")


@dataclass(frozen=True, slots=True)
class CellFormat:
    """What a number format shows: a day, a time of day, both, or neither; then `code` has the words around it."""

    day: bool = False
    time: bool = False
    code: str = ""


GENERAL: Final = CellFormat()
_DAY: Final = CellFormat(day=True)
_TIME: Final = CellFormat(time=True)
_BOTH: Final = CellFormat(day=True, time=True)
_PERCENT: Final = CellFormat(code="0%")
# ECMA-376 18.8.30; 27 to 36 and 50 to 58 are the Chinese ones.
_BUILT_IN: Final = (
    dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), _DAY)
    | dict.fromkeys((18, 19, 20, 21, *range(32, 36), 45, 47, 55, 56), _TIME)
    | {9: _PERCENT, 10: _PERCENT, 22: _BOTH}
)


def built_in_format(number: int) -> CellFormat:
    """The format of a number that a workbook does not define itself."""
    return _BUILT_IN.get(number, GENERAL)


def custom_format(code: str) -> CellFormat:
    """The format of a code such as `yyyy/m/d hh:mm` or `"L"000`; elapsed time (`[h]:mm`) is a plain number."""
    code = code[:255]
    first = _NOT_CODE.sub("", code).split(";")[0]
    letters = first.lower()
    if _ELAPSED.search(first):
        return GENERAL
    if _PLAIN.search(letters) or "#" in first or "0" in re.sub(r"\.0+", "", first):
        return CellFormat(code=code)
    day = any(letter in letters for letter in "yd") or "aaa" in letters or "e" in letters
    time = any(letter in letters for letter in "hs")
    day = day or ("m" in letters and not time)
    return CellFormat(day, time) if day or time else CellFormat(code=code)


def number_text(written: str, shape: CellFormat, epoch_1904: bool) -> tuple[str, str | None]:
    """A number cell's text, and the code of what is wrong with it.

    A plain number is its shortest decimal text without an exponent, with the words, zeros and percent sign of its
    format, a date or a time is ISO 8601. A number of more than 15 digits has lost some, and is written as a
    spreadsheet shows it.
    """
    if len(written) > 64 or not _NUMBER.fullmatch(written):
        return ERROR_TEXT, "cell_value"
    number = float(written)
    if shape.day or shape.time:
        return _moment_text(number, shape, epoch_1904)
    if abs(number) >= 10**MAX_DIGITS:
        short = f"{number:.14E}" if abs(number) != float("inf") else ""
        mantissa, _, exponent = short.partition("E")
        return (
            f"{mantissa.rstrip('0').rstrip('.')}E{exponent}" if short else ERROR_TEXT
        ), "number_digits"
    value = Decimal(f"{number:.{MAX_DIGITS}g}")
    return written_number(value, shape.code), None


def text_as_shown(text: str, shape: CellFormat) -> str:
    """A text cell's text with the words that its format writes around it."""
    return written_text(text, shape.code) if "@" in shape.code else text


def _moment_text(number: float, shape: CellFormat, epoch_1904: bool) -> tuple[str, str | None]:
    if not 0 <= number < _LAST_DAY - (1462 if epoch_1904 else 0):
        return ERROR_TEXT, "date_cell"
    passed = timedelta(milliseconds=round(number * 86_400_000))
    if number < 1 and shape.time and not epoch_1904:
        # A time of day is what a cell has that shows no day; one that shows both has lost its day.
        moment = (_EPOCH_1900 + passed).time()
        return (ERROR_TEXT, "date_cell") if shape.day else (moment.isoformat("auto"), None)
    whole = int(number)
    if not epoch_1904 and (whole in (0, _LEAP_DAY)):
        return ERROR_TEXT, "date_cell"
    shift = timedelta(days=1 if not epoch_1904 and whole < _LEAP_DAY else 0)
    try:
        found = (_EPOCH_1904 if epoch_1904 else _EPOCH_1900) + passed + shift
    except OverflowError:
        return ERROR_TEXT, "date_cell"
    midnight = not (found.hour or found.minute or found.second or found.microsecond)
    if midnight and not shape.time:
        return found.date().isoformat(), None
    return found.isoformat(timespec="auto" if found.microsecond else "seconds"), None
