"""Files and functions stay as long as a person reads at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "deploy", "tools", "tests")
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def modules() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_no_file_is_too_long() -> None:
    lengths = {name: len(text.splitlines()) for name, text in modules()}
    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{name}: {found.name}": lines
        for name, text in modules()
        for found in ast.walk(ast.parse(text))
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (found.end_lineno or 0) - found.lineno + 1) > LONGEST_FUNCTION
    }
    assert too_long == {}
