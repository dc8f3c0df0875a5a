"""A form as a page shows it, filled in as a person would."""

import itertools
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.integration.intake.samples import code

numbers = itertools.count(1)


@dataclass
class ShownForm:
    """A form of a page: where it goes, and what it has in its fields."""

    action: str
    values: dict[str, str] = field(default_factory=dict)


class Shown(HTMLParser):
    """What a page has: its forms by their actions, its texts, the elements with an id, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, ShownForm] = {}
        self.ids: dict[str, str] = {}
        self.links: list[str] = []
        self.texts: list[str] = []
        self._form = ShownForm("")
        self._area: str | None = None
        self.feed(page)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert "style" not in found, tag
        assert not any(name.startswith("on") for name in found), tag
        if "id" in found:
            assert found["id"] not in self.ids, f"two elements have the id {found['id']}"
            self.ids[found["id"]] = tag
        if tag == "form":
            self._form = ShownForm(found["action"].partition("?")[0])
            self.forms[self._form.action] = self._form
        elif tag == "a":
            self.links.append(found.get("href", ""))
        elif tag == "textarea":
            self._area = found["name"]
            self._form.values[self._area] = ""
        elif tag == "input":
            chosen = found["type"] not in ("radio", "checkbox") or "checked" in found
            if chosen:
                self._form.values[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            assert self._area is not None
            # As browsers read it: the first line end is not part of the text.
            value = self._form.values[self._area]
            self._form.values[self._area] = value.removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is None:
            self.texts.append(data)
        else:
            self._form.values[self._area] += data


def typed(**changes: str) -> dict[str, str]:
    """What an enterprise types into the form of a request."""
    return {
        "who": "enterprise",
        "code": code(next(numbers)),
        "name": "云杉精密",
        "contact_name": "某联系人",
        "phone": "000-5550-0101",
        "kind": "help",
        "summary": "园区北门道路积水",
        "detail": "雨后积水约二十厘米。\n货车无法进出。",
        "place": "北门",
    } | changes
