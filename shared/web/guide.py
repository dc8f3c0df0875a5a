"""The guide to integrating a system, as HTML from the Markdown under docs/."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from shared.messages.catalogue import text

FILES: Final[Mapping[str, str]] = {"zh": "integrating.zh.md", "en": "integrating.md"}
_HERE: Final = Path(__file__).parent
# A wheel has the guide beside this module; a checkout has it where people read it.
_FOLDERS: Final = (_HERE / "guide", _HERE.parents[1] / "docs")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level: `anchor` is its id on the page."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide in one language: its sections in order, and all of it as HTML, the title included."""

    sections: tuple[Section, ...]
    html: Markup


@cache
def guide(lang: str) -> Guide:
    """The guide in `lang`. Links to files that are not served become plain text; raw HTML is escaped."""
    markdown = _markdown(lang)
    tokens = markdown.parse(_source(lang))
    for token in tokens:
        if token.type == "inline":
            token.children = list(_served(token.children or ()))
    sections = tuple(_sections(tokens))
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Guide(sections, Markup(html))  # noqa: S704 - of our own file


def _source(lang: str) -> str:
    found = next(file for file in (folder / FILES[lang] for folder in _FOLDERS) if file.is_file())
    return found.read_text(encoding="utf-8")


def _markdown(lang: str) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def code(
        renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: object
    ) -> str:
        label = escape(text("docs.example", lang))
        words = escape(tokens[at].content)
        return f'<pre tabindex="0" role="group" aria-label="{label}"><code>{words}</code></pre>\n'

    def table(
        renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: object
    ) -> str:
        label = escape(text("docs.table", lang))
        return f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>\n'

    def table_end(
        renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: object
    ) -> str:
        return "</table></div>\n"

    markdown.add_render_rule("fence", code)
    markdown.add_render_rule("table_open", table)
    markdown.add_render_rule("table_close", table_end)
    return markdown


def _served(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same tokens; of links, those to this page in another language and to other places by their whole address."""
    is_kept = True
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            lang = next((lang for lang, name in FILES.items() if name == target), None)
            if lang is not None:
                token.attrs["href"] = f"?lang={lang}"
            is_kept = lang is not None or bool(urlsplit(target).scheme) or target.startswith("#")
        if is_kept or token.type not in ("link_open", "link_close"):
            yield token
        is_kept = is_kept or token.type == "link_close"


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    """The sections; each heading gets its id."""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            section = Section(anchor_of(inline.content), inline.content)
            opening.attrs["id"] = section.anchor
            yield section


def anchor_of(title: str) -> str:
    """The id of a heading as code hosts make it: letters and digits in lower case, spaces as hyphens."""
    return "".join(
        letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter in "-_"
    )
