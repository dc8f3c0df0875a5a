"""Writes a JSON Schema for every event and for the submission, and tells when one has changed: `python -m` it.

`--check` changes nothing and fails when a file is not what the classes say, or says less than it said before.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.events.published import EVENTS
from shared.contracts.submission import Submission
from tools.compatibility import breaking, surprising
from tools.openapi.components import without_titles

FOLDER: Final = Path(__file__).parents[1] / "shared" / "contracts" / "schemas"

ADVICE: Final = """
Within a version, events only get further optional fields, and a submission only needs less: readers elsewhere, and
events of years ago, hold on to what was there.
Put the change into a class of its own with `VERSION` one higher, beside the old one; record the new one, and keep the
old one for as long as anything of it can be read. A field that came by mistake is given a default, not removed.
"""


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each event and of the submission, by wire type."""
    models: dict[str, type[BaseModel]] = {**EVENTS, SUBMITTED_TYPE: Submission}
    return {wire_type: _schema(wire_type, models[wire_type]) for wire_type in sorted(models)}


def _schema(wire_type: str, model: type[BaseModel]) -> dict[str, Any]:
    found = without_titles(model.model_json_schema(mode="validation"))
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:liaison:schema:{wire_type}",
        "title": wire_type,
        **found,
    }


def written(document: Mapping[str, Any]) -> str:
    """A document as its file has it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def expected() -> dict[Path, str]:
    """Every file that the classes ask for, with its content."""
    return {FOLDER / f"{name}.json": written(schema) for name, schema in schemas().items()}


def broken_promises() -> list[str]:
    """In what the classes promise less than the files, or say what a reader of the files does not expect."""
    now = schemas()
    found: list[str] = []
    for file in sorted(FOLDER.glob("*.json")):
        name = file.stem
        if name not in now:
            found.append(f"{name}: the event is no longer there")
            continue
        old = json.loads(file.read_text(encoding="utf-8"))
        found += [f"{name}: {what}" for what in breaking(old, now[name])]
        # Events are read by those who know the file; what is submitted is read here alone.
        if name in EVENTS:
            told = surprising(old, now[name])
            found += [f"{name}: by the schema before, {what}" for what in told]
    return found


def stale() -> list[Path]:
    """The files that are missing or are not what the classes say."""
    return [
        file
        for file, text in expected().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or check them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.schemas")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when something differs"
    )
    asked = parser.parse_args(arguments)
    if promises := broken_promises():
        sys.stderr.write("\n".join(["These changes break what is published:", *promises, ADVICE]))
        return 1
    differing = stale()
    if asked.check:
        if differing:
            names = ", ".join(file.name for file in differing)
            sys.stderr.write(f"Not what the classes say: {names}\nRun: python -m tools.schemas\n")
        return 1 if differing else 0
    FOLDER.mkdir(exist_ok=True)
    for file in differing:
        file.write_text(expected()[file], encoding="utf-8")
        sys.stdout.write(f"{file.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
