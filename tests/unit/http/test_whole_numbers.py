"""Whole numbers of queries, paths and bodies: what only Python reads as one is refused by name, on every route."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts.fields.types import WHOLE
from tests.support.described import document
from tests.unit.http.serving import Operation, asked, built, operations, written_tokens

NO_NUMBERS = ("1_0", "1e1", "0x1", "１", "1,0", "1.5", "")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return built(written_tokens(tmp_path_factory.mktemp("tokens")))


def in_queries() -> Iterator[tuple[Operation, str]]:
    for operation in operations():
        described = document()["paths"][operation.route.path_format][operation.method.lower()]
        for parameter in described.get("parameters", ()):
            if parameter["in"] == "query" and parameter["schema"].get("type") == "integer":
                yield operation, parameter["name"]


QUERIES = list(in_queries())


def test_there_are_such_parameters():
    assert len(QUERIES) > 10


@pytest.mark.parametrize(("operation", "name"), QUERIES, ids=str)
async def test_a_parameter_that_is_no_whole_number_is_named(
    apps: dict[str, FastAPI], operation: Operation, name: str
):
    for value in NO_NUMBERS:
        answer = await asked(apps, operation, f"?{name}={value}")
        assert answer.status_code == 422, answer.text
        assert f"/query/{name}" in [error["pointer"] for error in answer.json()["errors"]]


def is_whole(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "integer" for each in (schema, *schema.get("anyOf", ())))


def in_bodies() -> Iterator[tuple[Operation, str]]:
    schemas = document()["components"]["schemas"]
    for operation in operations():
        described = document()["paths"][operation.route.path_format][operation.method.lower()]
        content = described.get("requestBody", {}).get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
        properties = schemas.get(reference.rpartition("/")[2], {}).get("properties", {})
        for name, schema in properties.items():
            if is_whole(schema):
                yield operation, name


BODIES = list(in_bodies())


def test_there_are_such_fields():
    assert {name for _, name in BODIES} == {"capacity", "satisfaction"}


@pytest.mark.parametrize(("operation", "name"), BODIES, ids=str)
async def test_a_field_that_is_no_whole_number_is_named(
    apps: dict[str, FastAPI], operation: Operation, name: str
):
    for value in (True, False, *NO_NUMBERS):
        answer = await asked(apps, operation, json={name: value})
        assert answer.status_code == 422, answer.text
        found = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
        assert found.get(f"/body/{name}") in ("int_type", "int_parsing"), (value, found)


READ = TypeAdapter(Annotated[int, WHOLE]).validate_python


@given(st.integers(-(10**20), 10**20), st.sampled_from(["{}", " {} ", "{}.0", "{:+}"]))
def test_a_whole_number_is_read_as_it_was_written(number: int, written: str):
    assert READ(written.format(number)) == number


@given(st.text(max_size=6) | st.text("0123456789_.eE+- ", max_size=6))
def test_no_text_is_read_as_another_number(text: str):
    try:
        read = READ(text)
    except ValidationError:
        return
    assert text.strip().isascii()
    assert read == float(text)
    assert "_" not in text
