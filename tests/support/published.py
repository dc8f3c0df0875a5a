"""The descriptions as they were last released, and what has changed since: each change is named in CHANGELOG.md.

`python -m tests.support.published` writes them anew; it is done when a version is released.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from shared.web.event_document import FILE as ASYNCAPI
from tests.support.described import FILE as OPENAPI

Json: TypeAlias = Mapping[str, Any]

FOLDER: Final = Path(__file__).parents[1] / "contracts" / "published"
FILES: Final = (OPENAPI, ASYNCAPI)
WORDS: Final = frozenset(("description", "summary", "example", "examples", "title"))
METHODS: Final = frozenset(("get", "put", "post", "patch", "delete"))


def reduced(part: Any, *, has_names: bool = False) -> Any:
    """A document without its words and examples, which may change at any time; in `properties` they are names."""
    if isinstance(part, dict):
        return {
            key: reduced(value, has_names=key == "properties" and not has_names)
            for key, value in part.items()
            if has_names or key not in WORDS
        }
    return [reduced(each) for each in part] if isinstance(part, list) else part


def released(file: Path) -> Json:
    """What was released of a description."""
    found: Json = json.loads((FOLDER / file.name).read_text(encoding="utf-8"))
    return found


def changed(old: Json, new: Json) -> set[str]:
    """Operations (`POST /path`), messages and schemas that were added, removed or changed."""
    before, after = dict(_parts(old)), dict(_parts(new))
    return {name for name in before | after if before.get(name) != after.get(name)}


def _parts(document: Json) -> Iterator[tuple[str, Any]]:
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation
    components = document["components"]
    yield from components["schemas"].items()
    yield from components.get("messages", {}).items()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for file in FILES:
        document = reduced(json.loads(file.read_text(encoding="utf-8")))
        text = json.dumps(document, ensure_ascii=False, indent=None, separators=(",", ":"))
        (FOLDER / file.name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
