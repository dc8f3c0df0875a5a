"""The sections of a number format: what they write around a number or a text (ECMA-376 18.8.31)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|[\\!](?P<escaped>.)|[_*].?'
    r"|\[(?P<sign><=|>=|<>|<|>|=)\s*(?P<limit>-?[0-9]{1,15}(?:\.[0-9]{1,15})?)\]|\[[^\]]*\]?"
    r"|(?P<number>[0#?](?:[0#?,.]*[0#?])?)(?P<scale>,+)?|(?P<general>General|G/[^\W0-9;\"]+|Standard)|(?P<end>;)"
    r"|(?P<percent>%)|(?P<text>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
# Digits with these are in units of a sum of money, which are no part of a text.
_CURRENCY: Final = frozenset("¥￥$€£")
# Fractions, exponents and letters of no meaning: the number is written without what stands around it.
_UNKNOWN: Final = re.compile(r"[A-Za-z/.,]")


@dataclass(frozen=True, slots=True)
class _Section:
    """`parts` are words and, as None, the places of numbers, whose digits are in `numbers`."""

    parts: tuple[str | None, ...] = ()
    numbers: tuple[str, ...] = ()
    percent: bool = False
    text: bool = False
    usable: bool = True
    sign: str = ""
    limit: Decimal = Decimal(0)

    @property
    def adds_words(self) -> bool:
        return any(part and not part.isspace() for part in self.parts)


def written_number(value: Decimal, code: str) -> str:
    """`value` in its shortest form with the words, leading zeros and percent sign that a format's `code` adds.

    Grouping, rounding and currencies are left out, and so are words in a section with an exponent or a fraction.
    """
    plain = _plain(value)
    section = _section_for(value, _sections(code)) if code else None
    if section is None or not section.usable:
        return plain
    if section.percent:
        plain = _plain(value * 100) + "%"
    if not section.numbers:
        return _joined(section.parts, plain) if section.adds_words else plain
    if value < 0:
        return plain
    if len(section.numbers) == 1 and ("." in section.numbers[0] or "," in section.numbers[0]):
        return _joined(section.parts, plain)
    if section.percent or not plain.isdigit():
        return _joined(section.parts, plain) if len(section.numbers) == 1 else plain
    return _filled(section, plain)


def written_text(text: str, code: str) -> str:
    """`text` with the words that the text section of a format's `code` adds."""
    last = _sections(code)[-1]
    return _joined(last.parts, text) if last.text and last.usable and not last.numbers else text


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _joined(parts: Sequence[str | None], inner: str) -> str:
    return "".join(inner if part is None else part for part in parts)


def _filled(section: _Section, digits: str) -> str:
    """The digits in their places from the right; those that have none stand in the first."""
    pattern = "".join(section.numbers)
    padded = digits.rjust(len(pattern))
    extra = len(padded) - len(pattern)
    shown = [
        ("0" if place == "0" else "") if digit == " " else digit
        for place, digit in zip(pattern, padded[extra:], strict=True)
    ]
    shown[0] = padded[:extra] + shown[0]
    numbers = iter(section.numbers)
    text, at = "", 0
    for part in section.parts:
        if part is not None:
            text += part
            continue
        size = len(next(numbers))
        text += "".join(shown[at : at + size])
        at += size
    return text


def _section_for(value: Decimal, sections: Sequence[_Section]) -> _Section | None:
    if any(section.sign for section in sections):
        held = (each for each in sections if not each.sign or _holds(value, each))
        return next(held, None)
    # The last section is of texts alone where there are four, or where it has their place and is not the only one.
    last_is_text = len(sections) > 3 or (len(sections) > 1 and sections[-1].text)
    numeric = sections[:-1] if last_is_text else sections
    if value < 0:
        return numeric[1] if len(numeric) > 1 else numeric[0]
    return numeric[2] if value == 0 and len(numeric) > 2 else numeric[0]


def _holds(value: Decimal, section: _Section) -> bool:
    match section.sign:
        case "=":
            return value == section.limit
        case "<>":
            return value != section.limit
        case "<":
            return value < section.limit
        case "<=":
            return value <= section.limit
        case ">":
            return value > section.limit
        case _:
            return value >= section.limit


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[_Section, ...]:
    """The sections of a format, one at least."""
    sections: list[_Section] = []
    tokens: list[re.Match[str]] = []
    for token in _TOKEN.finditer(code):
        if token["end"]:
            sections.append(_section(tokens))
            tokens = []
        else:
            tokens.append(token)
    return (*sections, _section(tokens))


def _section(tokens: Sequence[re.Match[str]]) -> _Section:
    parts: list[str | None] = []
    numbers: list[str] = []
    usable, condition = True, ("", Decimal(0))
    for token in tokens:
        if token["number"]:
            numbers.append(token["number"])
            usable = usable and not token["scale"]
            parts.append(None)
        elif token["text"] or token["general"]:
            parts.append(None)
        elif token["sign"]:
            condition = token["sign"], Decimal(token["limit"])
        elif token["other"] and _UNKNOWN.match(token["other"]):
            usable = False
        elif (words := token["quoted"] or token["escaped"] or token["other"]) not in _CURRENCY:
            parts.append(words or "")
    percent = any(token["percent"] for token in tokens)
    is_text = any(token["text"] for token in tokens)
    places = parts.count(None)
    split = any("." in number or "," in number for number in numbers) and places > 1
    usable = usable and not split and not (numbers and places > len(numbers))
    return _Section(tuple(parts), tuple(numbers), percent, is_text, usable, *condition)
