"""Writes that take no body: whatever is in one is refused by name, on every such route."""

import json

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.http.serving import Operation, asked, built, operations, written_tokens

WITHOUT_BODY = [
    each
    for each in operations()
    if each.method != "GET"
    and each.route.body_field is None
    and not (each.route.openapi_extra or {}).get("requestBody")
]
EVERY = pytest.mark.parametrize("operation", WITHOUT_BODY, ids=str)


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return built(written_tokens(tmp_path_factory.mktemp("tokens")))


def test_there_are_such_routes():
    assert {each.path.rsplit("/", 1)[1] for each in WITHOUT_BODY} >= {
        "accept",
        "activate",
        "trial",
        "done",
        "receipt",
    }


@EVERY
async def test_a_note_that_nobody_would_read_is_refused_by_name(
    apps: dict[str, FastAPI], operation: Operation
):
    answer = await asked(apps, operation, json={"note": "明天上午去现场", "a/b~c": 1})
    assert answer.status_code == 422, answer.text
    pointers = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert pointers == [("/body/note", "extra_forbidden"), ("/body/a~1b~0c", "extra_forbidden")]


@EVERY
async def test_what_is_no_object_is_refused(apps: dict[str, FastAPI], operation: Operation):
    for content, code in ((b"{", "json_invalid"), (b"[1]", "model_type"), (b'"x"', "model_type")):
        answer = await asked(apps, operation, content=content)
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/body", code)


@EVERY
async def test_a_body_of_another_type_is_415(apps: dict[str, FastAPI], operation: Operation):
    answer = await asked(apps, operation, content=b"note=x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415, answer.text


@EVERY
async def test_a_body_that_says_nothing_passes(apps: dict[str, FastAPI], operation: Operation):
    for content in (b"", b" \n", b"{}", b"null"):
        answer = await asked(apps, operation, content=content)
        # There is no database behind it, and a queue is asked for that is another's.
        found = answer.status_code, answer.json()["type"].rpartition(":")[2]
        assert found[0] >= 500 or found == (403, "not_your_queue"), answer.text


@settings(max_examples=50)
@given(
    sent=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(), min_size=1
    )
)
async def test_whatever_is_in_it_is_named(apps: dict[str, FastAPI], sent: dict[str, int]):
    answer = await asked(apps, WITHOUT_BODY[0], content=json.dumps(sent).encode())
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert len(errors) == min(len(sent), 50)
    assert {each["code"] for each in errors} == {"extra_forbidden"}
