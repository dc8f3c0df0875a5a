"""What was published once can be read for ever: an example is added for each event and never changed or removed."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel

from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.events.published import EVENTS
from shared.contracts.submission import Submission
from tools import schemas

FOLDER = Path(__file__).parent / "examples"
MODELS: dict[str, type[BaseModel]] = {**EVENTS, SUBMITTED_TYPE: Submission}


def examples() -> list[Any]:
    return [
        pytest.param(file.stem, example, id=f"{file.stem}-{number}")
        for file in sorted(FOLDER.glob("*.json"))
        for number, example in enumerate(json.loads(file.read_text(encoding="utf-8")))
    ]


def test_every_event_has_an_example_and_every_example_an_event():
    assert {file.stem for file in FOLDER.glob("*.json")} == set(MODELS)


def contains(whole: Any, part: Any) -> bool:
    """Whether everything that `part` says is in `whole`, in the same place and order."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return whole == part


@pytest.mark.parametrize(("name", "example"), examples())
def test_an_example_is_read_and_nothing_of_it_is_lost(name: str, example: dict[str, Any]):
    read = MODELS[name].model_validate_json(json.dumps(example))
    assert contains(json.loads(read.model_dump_json()), example)


@pytest.mark.parametrize(("name", "example"), examples())
def test_an_example_fits_the_published_schema(name: str, example: dict[str, Any]):
    schema = json.loads((schemas.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    assert [error.message for error in checker.iter_errors(example)] == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_field_of_a_later_version_is_passed_over(name: str):
    [full, *_] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert EVENTS[name].model_validate(full | {"new_field": {"deep": [1]}}) is not None


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_is_needed_is_needed(name: str):
    """The least example of each event lacks nothing and has nothing to spare."""
    [_, least, *_] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for field in least:
        without = {key: value for key, value in least.items() if key != field}
        with pytest.raises(ValueError, match=field):
            EVENTS[name].model_validate(without)


def test_no_event_carries_a_contact():
    """Whom to call stays in intake."""
    for name, event in EVENTS.items():
        assert "phone" not in json.dumps(event.model_json_schema()), name
