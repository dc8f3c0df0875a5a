"""Every field with a pattern, wherever it is sent: its refusal says how it looks, with an example that is taken."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from deploy.jobs.migrations import SERVICES
from shared.contracts.fields.types import FORMS
from shared.http.problems import field_errors
from shared.messages.catalogue import catalogue
from tests.support.described import document
from tests.unit.http.serving import operations

CODE = "string_pattern_mismatch"
LANGUAGES = ("zh", "en")


def patterned(found: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of a schema that have a pattern, with where they are."""
    if isinstance(found, dict):
        if isinstance(found.get("pattern"), str):
            yield place, found
        for name, inner in found.items():
            yield from patterned(inner, f"{place}/{name}")
    elif isinstance(found, list):
        for number, inner in enumerate(found):
            yield from patterned(inner, f"{place}/{number}")


DESCRIBED = dict(patterned(document()))


def sent_models() -> list[type[BaseModel]]:
    """The models of all bodies and queries, and those within them."""
    for service in SERVICES:
        import_module(f"services.{service}.app")
    found: list[type[BaseModel]] = []
    waiting = list(BaseModel.__subclasses__())
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        sent = model.__module__.startswith(("services.", "shared.contracts.submission"))
        if sent and not model.__module__.endswith(".settings"):
            found.append(model)
    return sorted(set(found), key=lambda model: f"{model.__module__}.{model.__qualname__}")


def typed_fields() -> list[tuple[str, Any]]:
    """Each field of a model and each parameter of a route that has a pattern, with its whole type."""
    found = [
        (
            f"{model.__name__}.{name}",
            Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation,
        )
        for model in sent_models()
        for name, field in model.model_fields.items()
    ]
    for operation in operations():
        dependant = operation.route.dependant
        for parameter in (*dependant.query_params, *dependant.path_params):
            info = parameter.field_info
            found.append((f"{operation} {parameter.alias}", Annotated[info.annotation, info]))
    return [(name, kind) for name, kind in found if pattern_of(kind) is not None]


def pattern_of(kind: Any) -> str | None:
    """The pattern of a text, or of one that may be left out; None for lists and models."""
    try:
        schema = TypeAdapter(kind).json_schema()
    except PydanticUserError:
        # A type without a JSON schema is none that is sent.
        return None
    choices = schema.get("anyOf", [schema])
    return next((each["pattern"] for each in choices if "pattern" in each), None)


FIELDS = typed_fields()


def test_all_patterns_of_the_description_have_a_form():
    assert len(DESCRIBED) > 40
    assert {schema["pattern"] for schema in DESCRIBED.values()} <= set(FORMS)


def test_all_forms_are_used_and_none_has_the_words_of_another():
    assert {schema["pattern"] for schema in DESCRIBED.values()} == set(FORMS)
    for lang in LANGUAGES:
        words = [catalogue(lang)[f"field.{CODE}.{form.rule}"] for form in FORMS.values()]
        assert len(set(words)) == len(words)
        assert all("{example}" in each for each in words)


@pytest.mark.parametrize("place", DESCRIBED)
def test_the_example_of_a_described_field_is_one(place: str):
    schema = DESCRIBED[place]
    example = FORMS[schema["pattern"]].example
    assert re.search(schema["pattern"], example)
    assert schema.get("minLength", 0) <= len(example) <= schema.get("maxLength", 10**6)


@pytest.mark.parametrize(("name", "kind"), FIELDS, ids=[name for name, _ in FIELDS])
def test_a_field_with_a_pattern_says_how_it_looks(name: str, kind: Any):
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    form = FORMS[pattern_of(kind) or ""]
    assert adapter.validate_python(form.example) == form.example
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python("a\0b")
    for lang in LANGUAGES:
        (error,) = field_errors(refused.value, lang)
        assert error.code == CODE
        assert form.example in error.message
        assert error.message == catalogue(lang)[f"field.{CODE}.{form.rule}"].format(
            example=form.example
        )


@pytest.mark.parametrize("pattern", FORMS)
@given(text=st.text(min_size=1))
def test_no_words_hold_a_bare_expression(pattern: str, text: str):
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    try:
        adapter.validate_python(text)
    except ValidationError as refused:
        assume(refused.errors()[0]["type"] == CODE)
        fault = RequestValidationError(refused.errors())
        for lang in LANGUAGES:
            (error,) = field_errors(fault, lang)
            assert pattern not in json.dumps(error.message, ensure_ascii=False)
            assert not set("^$\\[]") & set(error.message)
