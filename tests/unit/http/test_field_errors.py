"""Whatever is wrong with a field, its words say what to do, in both languages."""

from typing import Annotated, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, HttpUrl, StringConstraints, ValidationError

from shared.contracts.fields.types import CategoryPath, Day, Moment, MomentOrDay, Phone, Uscc
from shared.contracts.vocabulary import Kind
from shared.http.problems import field_errors
from shared.messages.catalogue import catalogue


class Sent(BaseModel):
    """Something of every type that the interface takes."""

    text: Annotated[str, StringConstraints(min_length=2, max_length=3, pattern="^a")] = "aa"
    count: Annotated[int, Field(gt=1, lt=5)] = 2
    yes: bool = True
    kind: Kind = Kind.HELP
    one: Literal["a", "b"] = "a"
    link: HttpUrl | None = None
    key: UUID | None = None
    day: Day | None = None
    at: Moment | None = None
    either: MomentOrDay | None = None
    code: Uscc | None = None
    phone: Phone | None = None
    path: CategoryPath | None = None
    parts: Annotated[tuple[str, ...], Field(max_length=2)] = ()
    inner: dict[str, int] | None = None


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
        st.just(10**4000), st.text(max_size=5),
        st.sampled_from(["https://", "ftp://a", "https://" + "a" * 3000, "https://a b", "http://[", "2026", "\u200b",
                         "a/ /b"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.sampled_from(sorted(Sent.model_fields)), VALUES)
def test_every_fault_of_a_field_has_words_of_its_own(field: str, value: object):
    try:
        Sent.model_validate({field: value})
    except ValidationError as fault:
        for lang in ("zh", "en"):
            for error in field_errors(fault, lang):
                assert error.message != catalogue(lang)["field.other"], error.code
                assert "…" not in error.message, error.code
                assert "' or '" not in error.message


def test_where_a_text_is_no_json_is_told():
    with pytest.raises(ValidationError) as raised:
        Sent.model_validate_json('{"text": "aa",\n "count" 2}')
    (error,) = field_errors(raised.value, "zh")
    assert (error.code, "第 2 行第 10 个字符" in error.message) == ("json_invalid", True)


def test_choices_are_listed_as_each_language_does():
    with pytest.raises(ValidationError) as raised:
        Sent.model_validate({"one": "c"})
    assert [field_errors(raised.value, lang)[0].message for lang in ("zh", "en")] == [
        "只能取：a、b。", "Must be one of: a, b."
    ]  # fmt: skip
