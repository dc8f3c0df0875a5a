"""The golden files are what the classes say, and a change that breaks a promise is refused with advice."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tools import schemas


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The committed files, to be changed."""
    folder = tmp_path / "schemas"
    shutil.copytree(schemas.FOLDER, folder)
    monkeypatch.setattr(schemas, "FOLDER", folder)
    return folder


def change(file: Path, edit: Any) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    edit(document)
    file.write_text(schemas.written(document), encoding="utf-8")


def test_the_committed_files_are_what_the_classes_say(capsys: pytest.CaptureFixture[str]):
    assert schemas.main(["--check"]) == 0, capsys.readouterr().err


def test_no_file_is_of_no_event():
    assert {file.stem for file in schemas.FOLDER.glob("*.json")} == set(schemas.schemas())


@pytest.mark.parametrize("file", sorted(schemas.FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_a_file_is_a_schema_of_its_name(file: Path):
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:liaison:schema:{file.stem}"
    assert schema["title"] == file.stem
    assert schema["description"]
    assert file.read_bytes() == schemas.written(schema).encode()


def test_written_twice_they_are_the_same():
    assert schemas.expected() == schemas.expected()


def test_a_missing_or_edited_file_is_noticed_and_written_again(
    copy: Path, capsys: pytest.CaptureFixture[str]
):
    (copy / "liaison.offer.made.v1.json").unlink()
    change(copy / "liaison.offer.accepted.v1.json", lambda schema: schema.update(description="x"))
    assert schemas.main(["--check"]) == 1
    told = capsys.readouterr().err
    for name in ("liaison.offer.made.v1.json", "liaison.offer.accepted.v1.json"):
        assert name in told
    assert "python -m tools.schemas" in told
    assert schemas.main([]) == 0
    assert schemas.main(["--check"]) == 0


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_field_that_was_published_and_is_gone_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    """The file says more than the class does now; writing must not hide it."""
    file = copy / "liaison.offer.made.v1.json"
    change(file, lambda schema: schema["properties"].update(once={"type": "string"}))
    before = file.read_text(encoding="utf-8")
    assert schemas.main(arguments) == 1
    told = capsys.readouterr().err
    assert "liaison.offer.made.v1: /once: the field was removed" in told
    assert "VERSION" in told
    assert file.read_text(encoding="utf-8") == before


def test_an_event_that_was_published_and_is_gone_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(copy / "liaison.offer.made.v1.json", copy / "liaison.offer.made.v0.json")
    assert schemas.main(["--check"]) == 1
    assert "liaison.offer.made.v0: the event is no longer there" in capsys.readouterr().err


def test_a_new_required_field_and_a_narrower_word_are_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
):
    def edit(schema: Any) -> None:
        schema["required"].remove("why")
        schema["$defs"]["Candidacy"]["enum"].append("by_lot")

    change(copy / "liaison.offer.made.v1.json", edit)
    assert schemas.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "/why: the field is not required before and required" in told
    assert "/candidacy: may no longer be by_lot" in told


def test_what_is_added_is_only_written(copy: Path):
    def edit(schema: Any) -> None:
        del schema["properties"]["dispatch"]["$ref"]
        schema["properties"]["dispatch"] = {"$ref": "#/$defs/Dispatch"}
        schema["$defs"]["Dispatch"]["properties"].pop("park")

    change(copy / "liaison.offer.made.v1.json", edit)
    assert schemas.broken_promises() == []
    assert schemas.main([]) == 0
    assert schemas.main(["--check"]) == 0


def test_what_a_reader_does_not_expect_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]):
    """A new word and a field that may be missing now: old messages parse, and whoever reads new ones is surprised."""

    def edit(schema: Any) -> None:
        schema["$defs"]["Candidacy"]["enum"].remove("ruled")
        schema["required"].append("until")
        schema["properties"]["until"] = {"type": "string"}

    change(copy / "liaison.offer.made.v1.json", edit)
    assert schemas.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "liaison.offer.made.v1: by the schema before, /candidacy: could not be ruled" in told
    assert "liaison.offer.made.v1: by the schema before, /until: the field was required" in told
    assert schemas.main([]) == 1, "writing must not hide it"


def test_a_submission_may_need_less(copy: Path):
    def edit(schema: Any) -> None:
        schema["required"].append("category")
        schema["properties"]["summary"]["maxLength"] -= 1

    change(copy / "liaison.request.submitted.v1.json", edit)
    assert schemas.broken_promises() == []
