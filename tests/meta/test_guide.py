"""The page for integrators says the same in both languages, and states what holds in the code."""

import json
import re

import jsonschema
import pytest

from services.intake.api.bodies import MAX_BATCH
from services.intake.api.sheet import MOST_ROWS
from shared.contracts.topics import MAX_MESSAGE_BYTES
from shared.http.app import MAX_BODY_BYTES
from shared.http.server.limits import MAX_HEAD_BYTES
from shared.http.streams.guard import PARTY_STREAMS
from shared.http.writes.idempotency import MAX_KEY_LENGTH
from tests.support.described import FILE
from tests.support.prose import GUIDES, ROOT, Block, blocks

GENERATORS = ROOT / "tests" / "clients" / "generators"
LOCKED = {
    "openapi-python-client": ("python/requirements.txt", "openapi-python-client=={}"),
    "@hey-api/openapi-ts": ("typescript/package.json", '"@hey-api/openapi-ts": "{}"'),
    "openapi-typescript": ("typescript/package.json", '"openapi-typescript": "{}"'),
    "openapi-generator": ("java/pom.xml", "<version>{}</version>"),
    "oapi-codegen": ("go/go.mod", "oapi-codegen/v2 v{}"),
    "ogen": ("go/go.mod", "ogen v{}"),
}
SCHEMAS = ROOT / "shared" / "contracts" / "schemas"
MIB = 1024 * 1024
PAGES = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)


def code(block: Block) -> tuple[str, str]:
    """The block without what is in the reader's language: a problem document is in it."""
    said = "" if "urn:liaison:problem" in block.text else block.text
    return block.language, said


def test_both_languages_have_the_same_code():
    english, chinese = ([code(block) for block in blocks(page)] for page in GUIDES)
    assert len(english) > 15
    assert english == chinese


def test_both_languages_have_the_same_shape():
    english, chinese = (page.read_text("utf-8") for page in GUIDES)
    for mark in (r"^#+ ", r"^\| `?[\w./@-]*", r"^- "):
        found = [len(re.findall(mark, text, re.MULTILINE)) for text in (english, chinese)]
        assert found[0] == found[1], mark
    assert named(english) == named(chinese)


def named(text: str) -> set[str]:
    """Every path, field, type and header that a page names in its prose."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", prose)) - {
        'make up ARGS="--data DIR"',
        'make up ARGS="--data 目录"',
    }


@PAGES
def test_the_limits_are_those_of_the_code(page):
    text = page.read_text("utf-8")
    assert f"{MAX_BODY_BYTES // MIB} MiB" in text
    assert f"{MAX_MESSAGE_BYTES // MIB} MiB" in text
    assert f"{MAX_HEAD_BYTES // 1024} KiB" in text
    for number in (MAX_BATCH, MOST_ROWS, MAX_KEY_LENGTH, PARTY_STREAMS):
        assert f"{number:,}" in text
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    [allowed] = re.findall(r"LIAISON_REQUESTS_PER_MINUTE-(\d+)", compose)
    assert f"{int(allowed):,}" in text


@PAGES
def test_the_lengths_of_fields_are_those_of_the_description(page):
    rows = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", page.read_text("utf-8"), re.MULTILINE))
    fields = submission()["properties"]
    tried = 0
    for names, limit in rows.items():
        for name in re.findall(r"`(\w+)`", names):
            if name in fields and (length := longest(fields[name])):
                assert f"{length:,}" in limit
                tried += 1
    assert tried >= 6


def submission() -> dict:
    return json.loads(FILE.read_text("utf-8"))["components"]["schemas"]["Submission"]


def longest(schema: dict) -> int | None:
    choices = [schema, *schema.get("anyOf", ())]
    limits = (each.get("maxLength", each.get("maxItems")) for each in choices)
    return next((limit for limit in limits if limit), None)


@pytest.mark.parametrize("generator", LOCKED)
@PAGES
def test_a_generator_has_the_version_that_is_played(page, generator):
    rows = re.findall(r"^\| ([^|]+?) \| ([\d.]+) \|", page.read_text("utf-8"), re.MULTILINE)
    versions = {re.split("[,，]", name)[0]: version for name, version in rows}
    file, written = LOCKED[generator]
    assert written.format(versions[generator]) in (GENERATORS / file).read_text("utf-8")


@PAGES
def test_every_event_shown_fits_its_schema_and_every_event_named_is_there(page):
    text = page.read_text("utf-8")
    for named_type in set(re.findall(r"`(liaison\.\w+\.\w+\.v1)`", text)):
        assert (SCHEMAS / f"{named_type}.json").exists(), named_type
    shown = re.findall(
        r"^\*\*`([\w.]+)`\*\* .*?\n\n```json\n(.*?)```", text, re.MULTILINE | re.DOTALL
    )
    [whole] = [json.loads(each.text) for each in blocks(page) if '"specversion"' in each.text]
    events = [(name, json.loads(data)) for name, data in shown] + [(whole["type"], whole["data"])]
    assert len(events) == 10
    for name, data in events:
        schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
        jsonschema.validate(data, schema)
        assert set(data) <= set(schema["properties"])
