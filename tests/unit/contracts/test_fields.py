"""Each field that is read from outside is of a strict type: found by walking every model, route and file."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contracts.events.event import Instant, RecordedDay
from shared.contracts.fields import uscc
from shared.contracts.fields.types import (
    Day,
    Line,
    Moment,
    MomentOrDay,
    Name,
    PartyId,
    QueryMoment,
    Typed,
    Uscc,
    Words,
)
from shared.contracts.submission import Requester
from shared.http.problems import field_errors
from shared.messages.catalogue import LANGUAGES, catalogue
from tests.support.fields import Field, fields_of_events, fields_of_files, fields_sent

NUMBERS = (
    "1699491600",
    '"1699491600"',
    "1699491600000",
    '"20260101000000"',
    "45239",
    "1.5",
    "true",
    "false",
)
SENT = fields_sent()
READ = [*SENT, *fields_of_files(), *fields_of_events()]
DATES = [pytest.param(field, id=field.name) for field in READ if field.is_date]
TEXTS = [
    pytest.param(field, id=field.name)
    for field in [*SENT, *fields_of_files()]
    # Of an address U+0000 is refused before any route; the calendar file is read into no database.
    if field.is_text and not field.in_address and not field.name.startswith("Local")
]


def test_the_walk_finds_what_there_is() -> None:
    names = {field.name for field in READ}
    assert len(DATES) >= 40
    assert len(TEXTS) >= 50
    assert {
        "Submission.occurred_at",
        "TieBody.since",
        "AbsenceRow.until",
        "HoldBody.resume_at",
    } <= names
    assert {
        "LocalDay.start",
        "Filters.due_before",
        "OfferMade.expires_at",
        "TieChanged.from_on",
    } <= names
    assert "['GET'] /followup/rates since" in names


@pytest.mark.parametrize("field", DATES)
def test_no_moment_or_day_is_read_from_a_number(field: Field) -> None:
    # Of a calendar file digits are a day and its time: whoever types it leaves the quotes out.
    in_file = field.name.startswith("LocalDay")
    for number in [each for each in NUMBERS if not (in_file and "20260101" in each)]:
        with pytest.raises(ValidationError):
            field.reader.validate_json(number)


@pytest.mark.parametrize("field", DATES)
def test_no_moment_or_day_that_is_sent_lies_at_an_end_of_the_calendar(field: Field) -> None:
    sent = field.name in {each.name for each in SENT}
    for text in ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        if sent:
            with pytest.raises(ValidationError):
                field.reader.validate_json(json.dumps(text))


@pytest.mark.parametrize("field", TEXTS)
def test_no_text_takes_what_the_database_cannot_hold(field: Field) -> None:
    for text in ('"a\\u0000b"', '"a\\ud83d"', '["a\\u0000b"]'):
        with pytest.raises(ValidationError):
            field.reader.validate_json(text)


def codes(reader: Any, value: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(reader).validate_json(json.dumps(value))
    return [error["type"] for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("reader", "value", "code"),
    [
        (Moment, 1699491600, "datetime_number"),
        (Moment, "1699491600", "datetime_number"),
        (Moment, True, "datetime_number"),
        (Moment, {}, "datetime_type"),
        (Moment, "2026-03-02", "datetime_from_date_parsing"),
        (Moment, "9999-12-31T00:00:00Z", "datetime_range"),
        (Day, 20260101, "date_number"),
        (Day, "20260101", "date_number"),
        (Day, "2026-01-01T00:00:00+08:00", "date_from_datetime_parsing"),
        (Day, "9999-12-31", "date_range"),
        (MomentOrDay, 20260101, "datetime_number"),
        (MomentOrDay, "2026-1-1", "datetime_parsing"),
    ],
)
def test_case_06_what_is_no_moment_is_refused_by_name(reader: Any, value: Any, code: str) -> None:
    assert codes(reader, value) == [code]


def test_every_code_of_these_types_has_words_in_both_languages() -> None:
    class Sent(BaseModel):
        at: QueryMoment

    for given, words in (
        ("2026-03-02T09:30:00", "%2B"),
        ("yesterday", "%2B"),
        ("1699491600", "1970"),
    ):
        with pytest.raises(ValidationError) as caught:
            Sent.model_validate({"at": given})
        for lang in LANGUAGES:
            (error,) = field_errors(caught.value, lang)
            assert (error.pointer, words in error.message) == ("/at", True)
    for lang in LANGUAGES:
        known = catalogue(lang)
        for code in (
            "date_ambiguous",
            "weekday_differs",
            "invisible_text",
            "bidi_control",
            "phone",
        ):
            assert "…" not in known[f"field.{code}"]


def test_case_25_an_unescaped_plus_in_a_query_is_understood() -> None:
    read = TypeAdapter(QueryMoment).validate_python
    assert read("2026-03-02T09:30:00 08:00") == read("2026-03-02T09:30:00+08:00")


def test_a_moment_of_an_event_may_be_of_any_year() -> None:
    assert TypeAdapter(Instant).validate_json('"0001-01-02T00:00:00Z"').year == 1
    assert TypeAdapter(RecordedDay).validate_json('"9999-12-31"').year == 9999


# -- Codes --------------------------------------------------------------------------------------------------------

BODY = "91990117MA0A49643"
CODE = BODY + uscc.check_character(BODY)
SPELLINGS = [
    CODE.lower(),
    f" {CODE} ",
    f"{CODE[:8]} {CODE[8:]}",
    f"{CODE[:8]}-{CODE[8:17]}-{CODE[17]}",
    "".join(chr(ord(each) + 0xFEE0) for each in CODE),
    f"{CODE[:4]}\u200b{CODE[4:]}\ufeff",
    f"{CODE[:4]}\u00a0{CODE[4:]}",
    f"{CODE[:4]}\u3000{CODE[4:]}",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_case_41_a_code_is_one_code_however_it_is_written(spelling: str) -> None:
    assert TypeAdapter(Uscc).validate_python(spelling) == CODE
    sent = {"kind": "enterprise", "id": spelling, "name": "n"}
    assert Requester.model_validate(sent).id == CODE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CODE[:-1], "18"),
        (f"{CODE}0", "18"),
        ("I" * 18, "alphabet"),
        (BODY + "I", "alphabet"),
        (BODY + "*", "alphabet"),
    ],
)
def test_case_41_a_code_that_is_none_says_which_rule_it_breaks(code: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Requester.model_validate({"kind": "enterprise", "id": code, "name": "n"})
    (error,) = field_errors(caught.value, "en")
    assert (error.pointer, error.code) == ("/id", "uscc")
    told = "digits and capital letters" if words == "alphabet" else words
    assert told in error.message


def test_case_41_a_wrong_check_character_is_named() -> None:
    other = next(each for each in "0123456789" if each != CODE[-1])
    with pytest.raises(ValidationError) as caught:
        Requester.model_validate({"kind": "enterprise", "id": BODY + other, "name": "n"})
    for lang, words in (("zh", "校验位"), ("en", "check character")):
        (error,) = field_errors(caught.value, lang)
        assert words in error.message


def test_a_person_s_id_stays_as_it_was_written() -> None:
    sent = {"kind": "resident", "id": "ａ-1", "name": "n"}
    assert Requester.model_validate(sent).id == "ａ-1"


def test_an_id_of_a_party_is_half_width_and_keeps_its_case() -> None:
    assert TypeAdapter(PartyId).validate_python(" Ｄ-Ｒoad\u200b ") == "D-Road"


# -- Texts --------------------------------------------------------------------------------------------------------

UNSEEN = [
    "\u200b",
    "\u2060\u00ad",
    "\u3164",
    "\u115f\u1160",
    "\uffa0",
    "\u2800",
    "\U000e0041\U000e007f",
    "\ufe0f",
    "\u0301",
    "\u034f",
    "\ufeff\u3000",
]


@pytest.mark.parametrize("text", UNSEEN)
def test_case_48_a_text_needs_something_to_see(text: str) -> None:
    for reader in (Name, Line, Words):
        assert codes(reader, text)[0] in ("invisible_text", "string_too_short")
    assert TypeAdapter(Name).validate_python(f"{text}苇{text}")


@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_case_48_a_name_turns_nothing_round(control: str) -> None:
    assert codes(Name, f"苇州{control}数控") == ["bidi_control"]
    assert codes(Line, f"苇州{control}数控") == ["bidi_control"]
    assert TypeAdapter(Words).validate_python(f"苇州{control}数控"), (
        "a long text may be pasted; pages isolate it"
    )


@pytest.mark.parametrize(
    "text", ["👨‍👩‍👧 一家", "مكتب\u200f", "café", "cafe\u0301", "㎡", "𠮷野家", "\ue000"]
)
def test_what_people_read_stays_as_it_was_written(text: str) -> None:
    assert TypeAdapter(Name).validate_python(text) == text


def test_a_cell_is_read_by_the_clock_of_its_office() -> None:
    read = TypeAdapter(MomentOrDay).validate_python
    assert read(Typed("2026年1月1日 9时", ZoneInfo("Asia/Urumqi"))).hour == 3
    assert read(Typed("20260101", ZoneInfo("Asia/Urumqi"))).isoformat() == "2026-01-01"
