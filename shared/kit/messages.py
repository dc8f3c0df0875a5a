"""The catalogue of every word that a person sees: one flat JSON file per area and language, Chinese first."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "messages"
LANGUAGES: Final = ("zh", "en")


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All messages of a language by key. Raises ValueError when two areas define the same key."""
    found: dict[str, str] = {}
    for file in sorted(FOLDER.glob(f"*.{lang}.json")):
        area: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        if twice := found.keys() & area.keys():
            raise ValueError(f"{file.name} defines again: {', '.join(sorted(twice))}")
        found |= area
    return found


def text(key: str, lang: str = "zh", **params: object) -> str:
    """The message of `key` in `lang` with `{params}` filled in.

    Raises KeyError for a key that is not in the catalogue: a missing word is a defect, not a blank.
    """
    return catalogue(lang if lang in LANGUAGES else "zh")[key].format_map(params)


def choose_language(asked: str | None, accept: str | None) -> str:
    """`zh` or `en` from an explicit wish, else from an Accept-Language header; Chinese when neither says."""
    if asked in LANGUAGES:
        return asked
    for entry in (accept or "").lower().split(",")[:10]:
        for lang in LANGUAGES:
            if entry.strip().startswith(lang):
                return lang
    return "zh"
