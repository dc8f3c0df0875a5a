"""Files of other projects are those that their record names, with a licence beside them."""

import base64
import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from tools.vendor import FILES, LICENCES, RECORD, STATIC, VENDOR

VENDORED = tomllib.loads(RECORD.read_text("utf-8"))
LOCK = json.loads(Path(VENDOR, "package-lock.json").read_text("utf-8"))["packages"]


def test_every_vendored_file_has_its_record():
    assert set(VENDORED) == {file.name for file in FILES}
    assert {file.package for file in LICENCES} == {file.package for file in FILES}
    assert all((VENDOR / file.name).read_text("utf-8").strip() for file in LICENCES)


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_file_is_what_its_record_says(name: str):
    record = VENDORED[name]
    digest = hashlib.sha384((STATIC / name).read_bytes()).digest()
    assert base64.b64encode(digest).decode() == record["sha384"]
    assert LOCK[f"node_modules/{record['package']}"]["version"] == record["version"]


def test_the_lock_names_no_registry():
    assert all("resolved" not in entry for entry in LOCK.values())
