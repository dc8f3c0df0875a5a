"""Masks personal numbers in free text, in any spelling."""

import re
import unicodedata
from datetime import date
from typing import Final

HIDDEN: Final = "●●●●"

_CHINESE: Final = dict(
    zip("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖幺两", "0012345678912345678912", strict=True)
)
# Between the digits of one number. A comma stands between the thousands of an amount.
_GAP: Final = r"[ .·•・_\-/()\[\]~*]{0,3}"
_START: Final = r"(?<![0-9A-Za-z])"
_END: Final = r"(?![0-9A-Za-z])"


def _digits(count: str) -> str:
    """Return a pattern of that many further digits, with or without separators."""
    return rf"(?:{_GAP}\d){{{count}}}"


_MOBILE: Final = re.compile(
    rf"(?<!\d)(?:(?:\+|00)?{_GAP}8{_GAP}6{_GAP})?1{_GAP}[3-9]{_digits('9')}(?!\d)"
)
_ABROAD: Final = re.compile(rf"\+{_GAP}[1-9]{_digits('7,14')}(?!\d)")
_LANDLINE: Final = re.compile(
    rf"(?<!\d)(?:\+{_GAP}8{_GAP}6{_GAP})?\(?0{_GAP}\d{_digits('1,2')}{_GAP}[2-9]{_digits('6,7')}(?!\d)"
)
_IDENTITY: Final = re.compile(rf"{_START}[1-9]{_digits('16')}{_GAP}[\dXx]{_END}")
_IDENTITY_OF_OLD: Final = re.compile(rf"{_START}[1-9]{_digits('14')}{_END}")
_CARD: Final = re.compile(rf"{_START}[2-9]{_digits('15,18')}{_END}")


def mask(text: str) -> str:
    """The text with HIDDEN in the place of telephone, identity card and bank card numbers.

    Full-width and other digits, Chinese numerals, spaces, points, hyphens and invisible characters make no difference.
    A number that is spelled in another way, or cut into parts by words, stays.
    """
    spans: set[tuple[int, int]] = set()
    # A numeral before a number is no part of it, and a number in numerals is one: both readings are searched.
    for numerals in (False, True):
        folded, places = _folded(text, numerals)
        spans |= {(places[first], places[last - 1] + 1) for first, last in _found(folded)}
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join((*parts, text[end:])) if parts else text


def _folded(text: str, numerals: bool) -> tuple[str, list[int]]:
    """Return the folded text to search, and for each of its characters the index in `text`."""
    characters: list[str] = []
    places: list[int] = []
    for place, written in enumerate(text):
        for each in unicodedata.normalize("NFKC", written):
            found = _plain(each, numerals)
            characters.append(found)
            places += [place] * len(found)
    return "".join(characters), places


def _plain(character: str, numerals: bool) -> str:
    if character.isascii():
        return " " if character.isspace() else character
    if numerals and character in _CHINESE:
        return _CHINESE[character]
    digit = unicodedata.digit(character, None)
    if digit is not None and character not in _CHINESE:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return "-"
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if category in ("Cf", "Mn", "Me", "Cc"):
        return ""
    return {"。": "."}.get(character, character)


def _found(folded: str) -> list[tuple[int, int]]:
    """Return the spans of personal numbers in a folded text."""
    spans = [
        match.span()
        for pattern in (_MOBILE, _ABROAD, _LANDLINE)
        for match in pattern.finditer(folded)
    ]
    spans += [match.span() for match in _IDENTITY.finditer(folded) if _is_identity(match[0])]
    spans += [
        match.span() for match in _IDENTITY_OF_OLD.finditer(folded) if _has_birthday(match[0])
    ]
    spans += [match.span() for match in _CARD.finditer(folded) if _is_card(match[0])]
    return spans


def _only_digits(written: str) -> str:
    return "".join(each for each in written if each.isdigit() or each in "Xx")


def _is_identity(written: str) -> bool:
    # Without anything between its digits it is no list of dates or amounts.
    return _only_digits(written) == written or _has_birthday(written)


def _has_birthday(written: str) -> bool:
    number = _only_digits(written)
    born = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    try:
        return 1900 <= date(int(born[:4]), int(born[4:6]), int(born[6:8])).year <= 2100
    except ValueError:
        return False


def _is_card(written: str) -> bool:
    """Return whether the last digit is a valid check digit of bank cards (Luhn, ISO/IEC 7812)."""
    digits = [int(each) for each in _only_digits(written)]
    doubled = [2 * each - 9 * (each > 4) for each in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
