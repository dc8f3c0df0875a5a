"""Whatever has changed of the public surface since the last release is named in CHANGELOG.md."""

import json
import re
from pathlib import Path

import pytest

from tests.support.published import FILES, changed, reduced, released

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def unreleased() -> str:
    """The text of the section that the next release will have."""
    found = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", CHANGELOG.read_text(), re.M | re.S)
    assert found
    return found[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_change_since_the_release_is_in_the_changelog(file: Path):
    new = reduced(json.loads(file.read_text(encoding="utf-8")))
    named = set(re.findall(r"`([^`]+)`", unreleased()))
    assert changed(released(file), new) - named == set()


def test_a_field_an_operation_and_a_message_count_and_words_do_not():
    old = {
        "paths": {"/a": {"get": {"summary": "x", "responses": {}}}},
        "components": {
            "schemas": {"A": {"properties": {"title": {"type": "string"}}, "title": "A"}},
            "messages": {"m": {"payload": {}}},
        },
    }
    assert changed(reduced(old), reduced(old)) == set()
    words = json.loads(
        json.dumps(old).replace('"x"', '"y"').replace('"title": "A"', '"title": "B"')
    )
    assert changed(reduced(old), reduced(words)) == set()
    field = json.loads(json.dumps(old).replace('"string"', '"integer"'))
    assert changed(reduced(old), reduced(field)) == {"A"}
    gone = {"paths": {}, "components": {"schemas": old["components"]["schemas"]}}
    assert changed(reduced(old), reduced(gone)) == {"GET /a", "m"}
