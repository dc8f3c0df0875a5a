"""Each way in which a schema can say less than before is found, and what only adds is let pass."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from tools.compatibility import breaking, surprising


class Inner(BaseModel):
    a: int
    b: str | None = None


class Tree(BaseModel):
    name: str
    below: tuple["Tree", ...] = ()


def schema(**fields: object) -> dict[str, object]:
    return create_model("Model", **fields).model_json_schema()


def words(maximum: int, pattern: str | None = None) -> object:
    return Annotated[str, Field(max_length=maximum, pattern=pattern)]


ADDS = {
    "nothing": ({"a": (int, ...)}, {"a": (int, ...)}),
    "an optional field": ({"a": (int, ...)}, {"a": (int, ...), "b": (str | None, None)}),
    "a field with a default": ({"a": (int, ...)}, {"a": (int, ...), "b": (int, 3)}),
    "a required field that may be left out now": ({"a": (int, ...)}, {"a": (int, 0)}),
    "a word": ({"a": (Literal["x"], ...)}, {"a": (Literal["x", "y"], ...)}),
    "any word": ({"a": (Literal["x"], ...)}, {"a": (str, ...)}),
    "null": ({"a": (int, ...)}, {"a": (int | None, ...)}),
    "another type": ({"a": (int, ...)}, {"a": (int | str, ...)}),
    "fractions": ({"a": (int, ...)}, {"a": (float, ...)}),
    "room": ({"a": (words(5), ...)}, {"a": (words(6), ...)}),
    "no limit": ({"a": (words(5), ...)}, {"a": (str, ...)}),
    "a field within": ({"a": (list[Inner], ...)}, {"a": (list[Inner], ...)}),
    "anything in a map": ({"a": (dict[str, int], ...)}, {"a": (dict[str, int | str], ...)}),
    "a description": ({"a": (int, Field())}, {"a": (int, Field(description="new"))}),
}


@pytest.mark.parametrize("what", ADDS)
def test_what_only_adds_passes(what: str):
    old, new = ADDS[what]
    assert breaking(schema(**old), schema(**new)) == []


UNSEEN = {
    # To a reader of the old schema these are fields that it passes over, or less than it was ready for.
    "nothing",
    "an optional field",
    "a field with a default",
    "a field within",
    "a description",
}


@pytest.mark.parametrize("what", ADDS)
def test_what_a_reader_of_before_does_not_expect_is_found(what: str):
    old, new = ADDS[what]
    assert bool(surprising(schema(**old), schema(**new))) == (what not in UNSEEN)


def test_what_surprises_is_said_of_the_schema_before():
    old = schema(a=(Literal["x"], ...), b=(int, ...), c=(words(5), ...))
    new = schema(a=(Literal["x", "y"], ...), b=(int | None, None), c=(words(6), ...))
    assert surprising(old, new) == [
        "/b: the field was required",
        "/a: could not be y",
        "/b: could not be null",
        "/c: `maxLength` was 5",
    ]


BREAKS = {
    "a field removed": ({"a": (int, ...), "b": (int, 0)}, {"a": (int, ...)}, "/b: the field was removed"),
    "a new required field": ({}, {"b": (int, ...)}, "/b: the field is new and required"),
    "a field required now": ({"b": (int, 0)}, {"b": (int, ...)}, "/b: the field is not required before and required"),
    "a type changed": ({"a": (int, ...)}, {"a": (str, ...)}, "/a: may no longer be integer"),
    "fractions refused": ({"a": (float, ...)}, {"a": (int, ...)}, "/a: may no longer be number"),
    "null refused": ({"a": (int | None, ...)}, {"a": (int, ...)}, "/a: may no longer be null"),
    "a type out of several": ({"a": (int | str, ...)}, {"a": (int, ...)}, "/a: may no longer be string"),
    "a word removed": ({"a": (Literal["x", "y"], ...)}, {"a": (Literal["x"], ...)}, "/a: may no longer be y"),
    "words listed": ({"a": (str, ...)}, {"a": (Literal["x"], ...)}, "/a: may only be one of x now"),
    "less room": ({"a": (words(6), ...)}, {"a": (words(5), ...)}, "/a: `maxLength` is 5 now"),
    "a first limit": ({"a": (str, ...)}, {"a": (words(5), ...)}, "/a: `maxLength` is 5 now"),
    "a higher bound": (
        {"a": (Annotated[int, Field(ge=1)], ...)},
        {"a": (Annotated[int, Field(ge=2)], ...)},
        "/a: `minimum` is 2 now",
    ),
    "another pattern": (
        {"a": (words(5, "^a$"), ...)},
        {"a": (words(5, "^b$"), ...)},
        "/a: `pattern` is '^b$' now",
    ),
    "a map narrowed": ({"a": (dict[str, int], ...)}, {"a": (dict[str, str], ...)}, "/a/*: may no longer be integer"),
    "items narrowed": ({"a": (list[int], ...)}, {"a": (list[str], ...)}, "/a/*: may no longer be integer"),
    "a pair a triple": (
        {"a": (tuple[int, int], ...)},
        {"a": (tuple[int, int, int], ...)},
        "/a: has 3 named places now",
    ),
    "a shape for what had none": ({"a": (dict, ...)}, {"a": (dict[str, int], ...)}, "/a/*: must be integer now"),
}  # fmt: skip


@pytest.mark.parametrize("what", BREAKS)
def test_what_takes_away_is_found(what: str):
    old, new, told = BREAKS[what]
    found = breaking(schema(**old), schema(**new))
    assert any(told in finding for finding in found), found
    assert breaking(schema(**old), schema(**old)) == []


def test_changes_within_a_shared_part_are_found_where_they_are_used():
    old = schema(one=(Inner, ...), many=(tuple[Inner, ...], ()))

    class Changed(BaseModel):
        a: str
        b: str | None = None

    Changed.__name__ = "Inner"
    found = breaking(old, schema(one=(Changed, ...), many=(tuple[Changed, ...], ())))
    assert found == [
        "/many/*/a: may no longer be integer",
        "/one/a: may no longer be integer",
    ]


def test_unnamed_fields_refused_are_found():
    open_schema, closed = (
        schema(a=(int, ...)),
        schema(a=(int, ...), __config__=ConfigDict(extra="forbid")),
    )
    assert breaking(closed, open_schema) == []
    assert breaking(open_schema, closed) == [
        "the event: fields that are not named are no longer passed over"
    ]


def test_a_schema_within_itself_comes_to_an_end():
    assert breaking(Tree.model_json_schema(), Tree.model_json_schema()) == []

    class Other(BaseModel):
        name: int
        below: tuple["Other", ...] = ()

    found = breaking(Tree.model_json_schema(), Other.model_json_schema())
    assert "/name: may no longer be string" in found


def test_what_cannot_be_judged_is_not_let_pass():
    old = {"type": "object"}
    assert breaking(old, old | {"not": {"required": ["a"]}}) == [
        "the event: `not` came or went, and what that means is not known here"
    ]


def test_a_word_of_an_enumeration_by_reference():
    old = {"$ref": "#/$defs/E", "$defs": {"E": {"enum": ["a", "b"], "type": "string"}}}
    new = {"anyOf": [{"const": "a"}, {"type": "null"}]}
    assert breaking(old, new) == ["the event: may no longer be b"]
