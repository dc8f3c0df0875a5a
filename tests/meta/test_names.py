"""Class names and function names: one meaning each, and those that a reader looks for."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "deploy", "tools")

PRIVATE_WORDS = re.compile(
    r"_*(take|takes|taken|taking|settle|settles|settled|settling|tell|tells|told|telling|said|asked|shown|kept|things"
    r"|ending|standing)(_|$)"
)
"""No name of a function or a module begins with one of them."""

TERMS = (
    "back-off",
    "back-pressure",
    "bisect",
    "brute-force guard",
    "composition root",
    "conflict",
    "CSRF",
    "cursor pagination",
    "dead letter",
    "deduplication",
    "group commit",
    "hash chain",
    "health check",
    "idempotency key",
    "in-order processing",
    "linger",
    "optimistic locking",
    "parked",
    "poison message",
    "projection",
    "rate limiter",
    "read model",
    "readiness",
    "rebalance",
    "response model",
    "sequencer",
    "supervisor",
    "token bucket (GCRA)",
    "watchdog",
)


def modules() -> Iterator[tuple[Path, str]]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT), file.read_text(encoding="utf-8")


def owner_of(file: Path) -> str:
    return file.parts[1] if file.parts[0] == "services" else file.parts[0]


def classes() -> dict[str, Counter[str]]:
    """How often each owner (a service, `shared` or `deploy`) has a class of each name."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                found[node.name][owner_of(file)] += 1
    return found


def test_a_class_name_is_unique_within_its_service_and_shadows_none_of_shared() -> None:
    found = classes()
    assert len(found) > 400
    twice = {
        name: dict(owners)
        for name, owners in found.items()
        if max(owners.values()) > 1 or ("shared" in owners and len(owners) > 1)
    }
    assert twice == {}


def test_no_function_or_module_has_a_private_word_for_a_name() -> None:
    named = [file for file, _ in modules() if PRIVATE_WORDS.match(file.stem)]
    functions = [
        f"{file}:{node.lineno} {node.name}"
        for file, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if PRIVATE_WORDS.match(node.name)
    ]
    assert (named, functions) == ([], [])


@pytest.mark.parametrize("term", TERMS)
def test_a_search_for_the_fields_term_finds_the_place(term: str) -> None:
    wanted = term.lower()
    places = [str(file) for file, text in modules() if wanted in " ".join(text.lower().split())]
    assert places
