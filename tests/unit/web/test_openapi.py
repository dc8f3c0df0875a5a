"""The API's description is what the services say, and is complete."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from services.desk.pages.live.first import first_command
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.web import api_document
from shared.web.look import document
from shared.web.prose import paragraphs
from shared.web.schema import Schemas
from tools.openapi import components, joining
from tools.openapi.components import objects_in
from tools.openapi.examples import BODIES, VALUES

DOCUMENT: dict[str, Any] = document("openapi.json")
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
EACH = pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)


def test_the_committed_document_is_what_the_services_say():
    assert joining.FILE.read_text(encoding="utf-8") == joining.written()


def test_no_two_operations_share_a_name():
    names = [param.values[2]["operationId"] for param in OPERATIONS]
    assert len(names) == len(set(names)) > 40


@EACH
def test_every_operation_says_what_it_does_and_for_whom(path, method, operation):
    assert operation["summary"]
    words, _, who = operation["description"].rpartition("\n\n")
    assert words, "a description of its own"
    if operation["security"]:
        ((scheme, roles),) = operation["security"][0].items()
        assert scheme in DOCUMENT["components"]["securitySchemes"]
        assert set(roles) <= set(Role)
        assert who == f"Roles: {', '.join(roles)}."
        assert {"401", "403", "429"} <= operation["responses"].keys()
    else:
        assert "receipts" in path
        assert who == "Needs no token."


@EACH
def test_every_operation_says_what_it_takes_and_answers(path, method, operation):
    assert path.count("{") == sum(each["in"] == "path" for each in operation.get("parameters", ()))
    succeeding = 0
    for status, answer in operation["responses"].items():
        assert answer["description"]
        if int(status) >= 400:
            assert answer["content"].keys() == {"application/problem+json"}
            continue
        succeeding += 1
        assert all(content["schema"] for content in answer["content"].values())
        assert answer["content"]
    assert succeeding
    if method in ("put", "post") and not re.search(
        "/(accept|activate|trial|done|receipt|tickets)$", path
    ):
        assert all(content["schema"] for content in operation["requestBody"]["content"].values())


@EACH
def test_every_write_names_its_key(path, method, operation):
    # A submission has its own: (source, source_ref). A trial changes nothing; a ticket opens one stream, once.
    if method == "get" or path.endswith(("/trial", "/tickets")) or path == "/intake/requests":
        return
    names = {parameter["name"].lower() for parameter in operation["parameters"]}
    assert "idempotency-key" in names
    if "/matters/" in path or "/offers/" in path:
        assert "if-match" in names


def test_every_reference_leads_somewhere():
    schemas = DOCUMENT["components"]["schemas"]
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)):
        assert reference.removeprefix("#/components/schemas/") in schemas


def test_the_same_name_for_two_things_is_told_apart():
    documents = {
        service: {"components": {"schemas": {"Same": {"type": "string"}, "Thing": {"type": kind}}}}
        | {"paths": {"/x": {"$ref": "#/components/schemas/Thing"}}}
        for service, kind in (("intake", "string"), ("routing", "integer"), ("followup", "string"))
    }
    union = components.join_components(documents)
    assert union.keys() == {"Same", "IntakeThing", "RoutingThing", "FollowupThing"}
    assert documents["routing"]["paths"]["/x"]["$ref"] == "#/components/schemas/RoutingThing"


def test_two_shapes_of_one_class_name_are_refused():
    schemas = {"a__Thing": {"type": "string"}, "b__Thing": {"type": "integer"}}
    with pytest.raises(ValueError, match="Thing"):
        components.simplify_names({"components": {"schemas": schemas}})


def test_every_component_is_titled_by_its_name_and_nothing_else_has_a_title():
    schemas = DOCUMENT["components"]["schemas"]
    assert all(re.fullmatch("[A-Z][A-Za-z]+", name) for name in schemas)
    assert {name: schema["title"] for name, schema in schemas.items()} == {n: n for n in schemas}
    titles = [
        inner["title"] for inner in objects_in(DOCUMENT) if isinstance(inner.get("title"), str)
    ]
    # Beside the components': the document's own, and those in examples of problems and milestones.
    own = set(schemas) | {DOCUMENT["info"]["title"], BODIES["ProblemDocument"]["title"]}
    assert set(titles) <= own | {VALUES["title"]}


@EACH
def test_an_operation_is_a_verb_with_a_noun(path, method, operation):
    assert re.fullmatch("[a-z]+([A-Z][a-z]+)+", operation["operationId"])


@EACH
def test_every_body_has_an_example_that_fits(path, method, operation):
    bodies = dict(operation.get("requestBody", {}).get("content", {}))
    for status, answer in operation["responses"].items():
        if status < "300":
            bodies |= answer.get("content", {})
    for media_type, body in bodies.items():
        if not media_type.endswith("json"):
            continue
        schema = {**body["schema"], "components": DOCUMENT["components"]}
        fault = best_match(Draft202012Validator(schema).iter_errors(body["example"]))
        assert fault is None, f"{media_type}: {fault}"
        assert "…" not in json.dumps(body["example"], ensure_ascii=False), media_type


def test_the_example_of_a_submission_is_taken():
    assert Submission.model_validate(BODIES["Submission"])
    assert Submission.model_validate(DOCUMENT["components"]["schemas"]["Submission"]["examples"][0])


def test_the_types_of_problems_are_those_that_the_catalogue_has_words_for():
    types = DOCUMENT["components"]["schemas"]["ProblemType"]["enum"]
    assert {"urn:liaison:problem:invalid", "urn:liaison:problem:version_moved"} <= set(types)
    assert len(types) == len(set(types)) > 60


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_has_every_operation_with_its_roles(lang: str):
    reference = api_document.read(DOCUMENT, lang)
    shown = {each.anchor: each for group in reference.groups for each in group.operations}
    assert len(shown) == len(OPERATIONS)
    submit = next(each for each in shown.values() if each.path == "/intake/requests")
    assert submit.roles == ("system", "requester", "liaison", "department", "coordinator")
    wanted = ["requester", "requester.kind", "requester.contact.phone", "attachments[].url"]
    names = [field.name for field in submit.bodies[0].fields]
    assert [name for name in names if name in wanted] == wanted
    assert "{" not in "".join(problem.detail for problem in reference.problems)


def test_a_sample_has_what_is_required_and_nothing_of_another_type():
    schema = {
        "type": "object",
        "required": ["kind", "at", "count", "items"],
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "at": {"type": "string", "format": "date-time"},
            "count": {"type": "integer", "minimum": 3},
            "items": {"type": "array", "items": {"$ref": "#/inner"}},
            "left": {"type": "string"},
        },
    }
    inner = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
    sample = Schemas({"inner": inner}, "zh").sample(schema)
    assert sample == {
        "kind": "a",
        "at": "2026-03-02T09:30:00+08:00",
        "count": 3,
        "items": [{"ok": True}],
    }


def test_the_parts_of_a_schema_are_shown_as_one():
    envelope = {
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "type": {"type": "string", "description": "What"}},
    }
    named = {"properties": {"type": {"const": "a.b.v1"}}}
    schema = {"allOf": [{"$ref": "#/envelope"}, named]}
    shown = list(Schemas({"envelope": envelope}, "zh").fields(schema))
    assert [(each.name, each.type, each.required, each.description) for each in shown] == [
        ("id", "string", True, ""),
        ("type", '"a.b.v1"', False, "What"),
    ]


def test_a_schema_that_holds_itself_ends():
    node = {"properties": {"next": {"$ref": "#/node"}, "name": {"type": "string"}}}
    fields = list(Schemas({"node": node}, "zh").fields({"$ref": "#/node"}))
    assert 2 <= len(fields) <= 20


def test_prose_is_escaped():
    shown = paragraphs("A `<b>` is <i>plain</i>.\n\n- one `x`\n- two")
    assert shown == (
        "<p>A <code>&lt;b&gt;</code> is &lt;i&gt;plain&lt;/i&gt;.</p>"
        "<ul><li>one <code>x</code></li><li>two</li></ul>"
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_first_command_posts_a_valid_submission(lang: str):
    command = first_command("http://127.0.0.1:8000/", lang)
    body = command[command.index("-d '") + 4 : -1]
    assert Submission.model_validate_json(body).source_ref == "1"
