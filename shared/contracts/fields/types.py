"""The types of what is sent: moments, days, texts, names, ids, codes and phones, with their limits and patterns.

Bodies, parameters and files are read by these alone; events, which may be old, by those of `contracts.events.event`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from shared.contracts.fields import folding, moments, phones, uscc
from shared.contracts.fields.moments import FIRST_YEAR, LAST_YEAR, Misread

_LIMITS: Final = {"first": FIRST_YEAR, "last": LAST_YEAR}

# -- Moments and days ---------------------------------------------------------------------------------------------


def fault(code: str, **context: Any) -> PydanticCustomError:  # noqa: ANN401 - whatever the words name
    """A fault of a field; its words are `field.<code>` of the message catalogue."""
    return PydanticCustomError(code, "not of the form that is needed", context)


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell of a file, which is read as an office types moments and days; without an offset by the clock of `zone`."""

    text: str
    zone: tzinfo


def _as_typed(given: Typed, typed: Callable[[str, tzinfo], date]) -> date:
    try:
        return typed(given.text, given.zone)
    except Misread as misread:
        misread.rule = "file"
        raise


def _reading(
    kind: str, read: Callable[[str], date], typed: Callable[[str, tzinfo], date]
) -> BeforeValidator:
    """Reads texts by `read` and cells by `typed`; of everything else takes what is of the type, and no number."""

    def parse(given: object) -> object:
        try:
            if isinstance(given, str):
                return read(given)
            if isinstance(given, Typed):
                return _as_typed(given, typed)
            if isinstance(given, datetime):
                return _aware(given)
            if isinstance(given, date):
                return moments.in_range(given)
        except Misread as misread:
            raise fault(misread.code, rule=misread.rule, **_LIMITS) from None
        number = isinstance(given, int | float)
        raise fault(f"{kind}_number" if number else f"{kind}_type")

    return BeforeValidator(parse)


def _typed_day(text: str, _zone: tzinfo) -> date:
    return moments.typed_day(text)


def _aware(given: datetime) -> datetime:
    if given.tzinfo is None:
        raise Misread("timezone_aware")
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise Misread("datetime_range")
    return given.astimezone(UTC)


def _day_only(given: object) -> object:
    if isinstance(given, datetime):
        raise fault("date_from_datetime_parsing")
    return given


def _moment_or_day(text: str) -> date:
    if len(text) == len("2026-03-02"):
        return moments.read_day(text)
    return moments.read_moment(text)


def _queried(read: Callable[[str], date]) -> Callable[[str], date]:
    def parse(text: str) -> date:
        mended = moments.with_lost_plus(text)
        try:
            return read(mended)
        except Misread as misread:
            misread.rule = "query"
            raise

    return parse


Moment: TypeAlias = Annotated[
    AwareDatetime, _reading("datetime", moments.read_moment, moments.typed_moment)
]
"""A moment with its offset (RFC 3339), in the years 1900 to 2200; kept in UTC."""

Day: TypeAlias = Annotated[
    date, _reading("date", moments.read_day, _typed_day), BeforeValidator(_day_only)
]
"""A day, YYYY-MM-DD, in the years 1900 to 2200."""

# One text of two forms: generators of clients have no type for a choice between them.
_MOMENT_OR_DAY: Final = WithJsonSchema(
    {
        "type": "string",
        "description": "a moment with its offset (RFC 3339), or a day",
        "examples": ["2026-03-02T09:30:00+08:00", "2026-03-02"],
    }
)

MomentOrDay: TypeAlias = Annotated[
    AwareDatetime | date,
    Field(union_mode="left_to_right"),
    _reading("datetime", _moment_or_day, moments.typed_time),
    _MOMENT_OR_DAY,
]
"""Either; midnight with its offset is a moment."""

QueryMoment: TypeAlias = Annotated[
    AwareDatetime, _reading("datetime", _queried(moments.read_moment), moments.typed_moment)
]
"""A moment in a query, where an unescaped `+` has become a space."""

QueryMomentOrDay: TypeAlias = Annotated[
    AwareDatetime | date,
    Field(union_mode="left_to_right"),
    _reading("datetime", _queried(_moment_or_day), moments.typed_time),
    _MOMENT_OR_DAY,
]
"""Either, in a query."""

# -- Numbers ------------------------------------------------------------------------------------------------------

_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]{1,30}(?:\.0*)?\s*", re.ASCII)


def _whole(given: object) -> object:
    """Neither a truth value, which would be 0 or 1, nor a text that only Python reads as a number (1_000)."""
    if isinstance(given, bool):
        raise fault("int_type")
    if isinstance(given, str) and not _WHOLE.fullmatch(given):
        raise fault("int_parsing")
    return given


WHOLE: Final = BeforeValidator(_whole)
"""A whole number as people and programs write one."""

# -- Texts --------------------------------------------------------------------------------------------------------

# PostgreSQL text cannot hold U+0000; of the other control characters people type tab and line ends.
_WRITTEN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
_ERASABLE: Final = r"^[^\x00]*$"
_CATEGORY_PATH: Final = r"^[^/\x00-\x1f]+(/[^/\x00-\x1f]+){0,4}$"
_SOURCE_URI: Final = r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f]+$"
_PARTY_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$"
_PARTY_NAMED: Final = r"^[^\s\x00-\x1f\x7f]+$"


@dataclass(frozen=True, slots=True)
class Form:
    """What a pattern means: its words are `field.string_pattern_mismatch.<rule>`, and `example` matches it."""

    rule: str
    example: str


FORMS: Final = {
    _WRITTEN: Form("written", "园区南门道路积水"),
    _ERASABLE: Form("erasable", "等待材料"),
    _CATEGORY_PATH: Form("category_path", "企业服务/政策咨询"),
    _SOURCE_URI: Form("source_uri", "https://one-stop.example"),
    _PARTY_ID: Form("party_id", "L001"),
    _PARTY_NAMED: Form("party_named", "D-ROAD"),
}
"""Every pattern of a field that is sent."""


def sized(maximum: int, pattern: str = _WRITTEN) -> StringConstraints:
    """1 to `maximum` characters, without spaces around and without control characters."""
    return StringConstraints(
        min_length=1, max_length=maximum, strip_whitespace=True, pattern=pattern
    )


def _visible(text: str) -> str:
    if not folding.is_visible(text):
        raise fault("invisible_text")
    return text


def straight(text: str) -> str:
    """The text, when nothing in it turns what follows round. Raises PydanticCustomError `bidi_control`."""
    if folding.turns_text_round(text):
        raise fault("bidi_control")
    return text


VISIBLE: Final = AfterValidator(_visible)
"""Something of the text can be seen."""
STRAIGHT: Final = AfterValidator(straight)
"""Nothing in the text turns what is written after it round."""

Name: TypeAlias = Annotated[str, sized(100), VISIBLE, STRAIGHT]
Line: TypeAlias = Annotated[str, sized(200), VISIBLE, STRAIGHT]
Note: TypeAlias = Annotated[str, sized(2000), VISIBLE]
Words: TypeAlias = Annotated[str, sized(4000), VISIBLE]
LongWords: TypeAlias = Annotated[str, sized(10_000), VISIBLE]
Erasable: TypeAlias = Annotated[str, StringConstraints(max_length=2000, pattern=_ERASABLE)]
"""A note that an empty text takes away."""


def _levels_visible(path: str) -> str:
    if not all(map(folding.is_visible, path.split("/"))):
        raise fault("invisible_text", rule="level")
    return path


CategoryPath: TypeAlias = Annotated[
    str, sized(200, _CATEGORY_PATH), AfterValidator(_levels_visible), STRAIGHT
]
SourceUri: TypeAlias = Annotated[str, sized(200, _SOURCE_URI), VISIBLE, STRAIGHT]

# -- Ids, codes, phones -------------------------------------------------------------------------------------------


def _identifier(given: object) -> object:
    return folding.identifier(given) if isinstance(given, str) else given


TIDIED: Final = BeforeValidator(_identifier)
"""Half-width, without spaces around and invisible characters."""

PartyId: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=_PARTY_ID),
    TIDIED,
]
"""The id of a liaison, a department or an entry of the directory."""

PartyNamed: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=_PARTY_NAMED), TIDIED
]
"""A party that a step names; those of the first directories may have ids that `PartyId` refuses."""


def enterprise_code(text: str) -> str:
    """The unified social credit code that was meant. Raises PydanticCustomError `uscc` with the `rule` it breaks."""
    found = uscc.canonical(text)
    rule = uscc.broken_rule(found)
    if rule is not None:
        raise fault("uscc", rule=rule)
    return found


Uscc: TypeAlias = Annotated[str, StringConstraints(max_length=100), AfterValidator(enterprise_code)]
"""A unified social credit code in whatever way it was written; kept in its one form."""


def _phone(text: str) -> str:
    if not phones.is_phone(text):
        raise fault("phone")
    return text


Phone: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, strip_whitespace=True),
    AfterValidator(_phone),
]
"""One telephone number or several, as people write them; kept as written."""
