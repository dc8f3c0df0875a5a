"""Renders templates and serves their assets; every word comes from the message catalogue."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.messages.catalogue import text
from shared.web.prose import inline, paragraphs

HERE: Final = Path(__file__).parent

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # With `no-referrer` a form of ours by plain HTTP would name no origin, and be taken for one of another site.
    "referrer-policy": "same-origin",
}
"""What every page is sent with: nothing from elsewhere, nothing inline, in no frame."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the pages; `version` changes whenever its content does."""

    content: bytes
    media_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file under static/ by its name; a name that is not here does not exist."""
    return {
        file.name: Asset(
            content := file.read_bytes(),
            _MEDIA_TYPES[file.suffix],
            hashlib.sha256(content).hexdigest()[:12],
        )
        for file in sorted((HERE / "static").iterdir())
    }


def address(name: str) -> str:
    """Where an asset is served, with its version, so that it may be kept for ever."""
    return f"/static/{name}?v={assets()[name].version}"


@cache
def document(name: str) -> Any:  # noqa: ANN401 - a JSON document has any shape
    """A JSON document that lies beside this module, such as openapi.json."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = address
    environment.filters |= {"prose": paragraphs, "inline": inline}
    return environment


def render(template: str, lang: str, **context: object) -> str:
    """A template with `t(key, **params)` speaking `lang`. Raises KeyError for a word that is missing."""
    words = partial(text, lang=lang)
    return _environment().get_template(template).render(t=words, lang=lang, **context)
