"""Renders the plain text of documentation as HTML: paragraphs, lists, code."""

import re
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

_CODE: Final = re.compile(r"`([^`\n]+)`")


def paragraphs(words: str) -> Markup:
    """Text as people write it in docstrings, escaped: blank lines part paragraphs, `- ` begins an item of a list."""
    return Markup().join(_blocks(words.strip()))


def inline(words: str) -> Markup:
    """One line of it."""
    parts = _CODE.split(words)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _blocks(words: str) -> Iterator[Markup]:
    for block in filter(None, (block.strip() for block in re.split(r"\n\s*\n", words))):
        items = re.split(r"(?:^|\n)- ", block)
        if items[0].strip():
            yield Markup("<p>{}</p>").format(inline(_joined(items[0])))
        if items[1:]:
            listed = (Markup("<li>{}</li>").format(inline(_joined(item))) for item in items[1:])
            yield Markup("<ul>{}</ul>").format(Markup().join(listed))


def _joined(words: str) -> str:
    return " ".join(words.split())
