"""Every route that there is refuses, by name, parameters and bodies that its description does not have."""

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.http.routes import CheckedRoute
from tests.unit.http.serving import Operation, asked, built, operations, written_tokens

ALL = operations()
WITH_JSON = [each for each in ALL if each.route.body_field is not None]
WITH_FILE = [each for each in ALL if (each.route.openapi_extra or {}).get("requestBody")]
GZIPPED = b"\x1f\x8b\x08\x00"


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return built(written_tokens(tmp_path_factory.mktemp("tokens")))


def test_every_described_route_is_checked():
    assert len(ALL) > 50
    assert WITH_JSON
    assert WITH_FILE
    unchecked = [
        str(each) for each in ALL if not isinstance(each.route.original_route, CheckedRoute)
    ]
    assert not unchecked


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_case_24_an_unknown_parameter_is_refused_by_name(
    apps: dict[str, FastAPI], operation: Operation
):
    answer = await asked(apps, operation, "?overdu=true")
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/query/overdu", "unknown_parameter")
    assert "lang" in error["detail"]


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_a_parameter_given_twice_is_refused_by_name(
    apps: dict[str, FastAPI], operation: Operation
):
    answer = await asked(apps, operation, "?lang=en&lang=zh")
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/query/lang", "repeated_parameter")


@settings(max_examples=60)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
async def test_any_name_of_a_parameter_is_one_of_ours_or_refused(
    apps: dict[str, FastAPI], name: str
):
    matters = next(each for each in ALL if str(each) == "GET /followup/matters")
    known = {"state", "owner", "department", "uscc", "category", "park", "q", "due_before"}
    known |= {"overdue", "limit", "cursor", "lang"}
    answer = await asked(apps, matters, "", params={name: "1"})
    if name not in known:
        assert answer.status_code == 422
        # A NUL is refused before there is a route.
        assert answer.json()["errors"][0]["code"] == (
            "nul" if "\0" in name else "unknown_parameter"
        )


TYPES = [
    ("text/plain", "unsupported_media_type"),
    ("application/x-www-form-urlencoded", "unsupported_media_type"),
    ("multipart/form-data; boundary=x", "unsupported_media_type"),
    ("application/xml", "unsupported_media_type"),
    ("application/jsonx", "unsupported_media_type"),
    ("json", "unsupported_media_type"),
    ("application/json; charset=gbk", "unsupported_charset"),
    ("application/json; charset=utf-16", "unsupported_charset"),
]


@pytest.mark.parametrize("operation", WITH_JSON, ids=str)
async def test_a_body_of_another_type_is_415_by_name(
    apps: dict[str, FastAPI], operation: Operation
):
    for written, code in TYPES:
        answer = await asked(apps, operation, content=b"{}", headers={"content-type": written})
        assert answer.status_code == 415, answer.text
        assert answer.json()["type"] == f"urn:liaison:problem:{code}"
        assert answer.json()["errors"][0]["pointer"] == "/header/content-type"
        assert "application/json" in answer.headers["accept"]


@pytest.mark.parametrize("operation", WITH_JSON + WITH_FILE, ids=str)
async def test_a_compressed_body_is_415_by_name(apps: dict[str, FastAPI], operation: Operation):
    for coding in ("gzip", "br", "identity, gzip", "GZIP"):
        headers = {"content-type": "application/json", "content-encoding": coding}
        answer = await asked(apps, operation, content=GZIPPED, headers=headers)
        assert answer.status_code == 415, answer.text
        assert answer.json()["type"] == "urn:liaison:problem:unsupported_encoding"
        assert answer.headers["accept-encoding"] == "identity"


OURS = [
    {},
    {"content-type": "application/json"},
    {"content-type": 'Application/JSON ; Charset="UTF-8"'},
    {"content-type": "application/json;charset=utf8", "content-encoding": "identity"},
]


@pytest.mark.parametrize("operation", WITH_JSON, ids=str)
async def test_json_is_read_with_and_without_its_name(
    apps: dict[str, FastAPI], operation: Operation
):
    for headers in OURS:
        answer = await asked(apps, operation, content=b'{"no such field": 1}', headers=headers)
        assert answer.status_code == 422, answer.text
        assert "/body/no such field" in {each["pointer"] for each in answer.json()["errors"]}


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_case_26_a_final_slash_is_another_path(
    apps: dict[str, FastAPI], operation: Operation
):
    slashed = Operation(
        operation.service, operation.method, f"{operation.path}/", operation.role, None
    )
    answer = await asked(apps, slashed)
    assert (answer.status_code, "location" in answer.headers) == (404, False), answer.text


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_a_path_tells_all_its_methods(apps: dict[str, FastAPI], operation: Operation):
    same = [each for each in ALL if each.route.path_regex.fullmatch(operation.path)]
    expected = {each.method for each in same} | {"OPTIONS"}
    expected |= {"HEAD"} if "GET" in expected else set()
    for method, status in (("OPTIONS", 204), ("PATCH", 405)):
        answer = await asked(apps, operation, method=method)
        assert answer.status_code == status, answer.text
        assert set(answer.headers["allow"].split(", ")) == expected


async def test_options_of_no_path_is_404(apps: dict[str, FastAPI]):
    nowhere = Operation("intake", "OPTIONS", "/intake/nothing", None, None)
    assert (await asked(apps, nowhere)).status_code == 404


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_who_may_not_ask_is_told_nothing_else(apps: dict[str, FastAPI], operation: Operation):
    if operation.role is not None:
        unknown = Operation(operation.service, operation.method, operation.path, "nobody", None)
        headers = {"content-type": "text/plain"}
        answer = await asked(apps, unknown, "?overdu=1", content=b"{", headers=headers)
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("operation", [each for each in ALL if each.method == "GET"], ids=str)
async def test_case_26_head_is_answered_by_the_route_of_get(
    apps: dict[str, FastAPI], operation: Operation
):
    head = await asked(apps, operation, "?overdu=true", method="HEAD")
    get = await asked(apps, operation, "?overdu=true")
    assert (head.status_code, head.content) == (get.status_code, b"") == (422, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == get.headers["content-length"]
