"""The catalogue of every word that a person sees: one flat JSON file per area and language, Chinese first."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
LANGUAGES: Final = ("zh", "en")
_QUALITY: Final = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)\Z")


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
    best, weight = "zh", 0.0
    for entry in (accept or "").lower().split(",")[:10]:
        tag, _, quality = entry.strip().partition(";")
        wanted = _quality(quality)
        if tag.partition("-")[0].strip() in LANGUAGES and wanted > weight:
            best, weight = tag.partition("-")[0].strip(), wanted
    return best


def _quality(written: str) -> float:
    found = _QUALITY.match(written.strip())
    return float(found[1]) if found else 1.0
