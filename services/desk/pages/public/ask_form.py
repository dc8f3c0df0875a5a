"""The form of a request: what was typed, the submission that it makes, and what is wrong with which field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pydantic import ValidationError

from services.desk.pages.public.routes import drawn_key
from shared.contracts.fields import uscc
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency
from shared.http.problems import field_errors
from shared.messages.catalogue import catalogue

SOURCE: Final = "urn:liaison:desk:ask"
KEY: Final = "key"
FIELDS: Final = (
    "who", "code", "name", "contact_name", "phone", "kind", "summary", "detail", "place", "danger",
)  # fmt: skip
"""In their order on the page."""

_PLACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/requester/kind": "who",
        "/requester/id": "code",
        "/requester/name": "name",
        "/requester/contact/name": "contact_name",
        "/requester/contact/phone": "phone",
        "/kind": "kind",
        "/summary": "summary",
        "/detail": "detail",
        "/location": "place",
    }
)
_NOTHING_THERE: Final = frozenset(
    {"missing", "enum", "string_too_short", "invisible_text", "none_required", "string_type"}
)


@dataclass(frozen=True, slots=True)
class FieldNotice:
    """What is wrong with a field, in a clerk's words; `field` is empty for what is wrong with no one field."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class AskForm:
    """A form as it was typed. Its key, which its holder alone has, makes a second sending the same request."""

    values: Mapping[str, str]
    key: str

    def __getitem__(self, field: str) -> str:
        """What was typed in a field."""
        return self.values[field]

    @property
    def source_ref(self) -> str:
        """What the request is called: staff see it, and nobody finds the key by it, which would give the receipt."""
        return str(uuid5(NAMESPACE_URL, f"{SOURCE}:{self.key}"))

    @property
    def requester_id(self) -> str:
        """The code in its one form; for who has none, an id of this request alone."""
        code = self["code"].strip()
        found = uscc.canonical(code)
        if self["who"] == RequesterKind.ENTERPRISE:
            return found
        if self["who"] == RequesterKind.RESIDENT or not code:
            return f"ask-{self.source_ref}"
        return found if uscc.is_valid(found) else code

    def submission(self) -> dict[str, Any]:
        """The submission (`Submission` as JSON). The same form makes the same one each time."""
        contact = {"name": self["contact_name"].strip(), "phone": self["phone"].strip()}
        is_resident = self["who"] == RequesterKind.RESIDENT
        return {
            "source": SOURCE,
            "source_ref": self.source_ref,
            "channel": Channel.WEB,
            "kind": self["kind"],
            "requester": {
                "kind": self["who"],
                "id": self.requester_id,
                "name": contact["name"] if is_resident else self["name"].strip(),
                "contact": contact,
            },
            "summary": self["summary"].strip(),
            "detail": self["detail"].strip(),
            "location": self["place"].strip() or None,
            "urgency": Urgency.EMERGENCY if self["danger"] else Urgency.NORMAL,
        }

    def notices(self, lang: str) -> tuple[FieldNotice, ...]:
        """What intake would refuse of it, in the fields' order; empty for a form that is right."""
        try:
            Submission.model_validate(self.submission())
        except ValidationError as fault:
            errors = field_errors(fault, lang)
            return self.notices_of(((e.pointer, e.code, e.message) for e in errors), lang)
        return ()

    def notices_of(
        self, errors: Iterable[tuple[str, str, str]], lang: str
    ) -> tuple[FieldNotice, ...]:
        """Errors of a submission (JSON pointer, code, words) by the fields of the form, one of each field."""
        found: dict[str, FieldNotice] = {}
        for pointer, code, words in errors:
            field = _PLACES.get(pointer, "")
            if field == "name" and self["who"] == RequesterKind.RESIDENT:
                field = "contact_name"
            if field == "code" and self["who"] not in tuple(RequesterKind):
                # Only who asks says which code is meant.
                continue
            found.setdefault(field, FieldNotice(field, words_of(f"ask.{field}", code, words, lang)))
        return tuple(sorted(found.values(), key=_place_on_page))


def _place_on_page(notice: FieldNotice) -> int:
    return FIELDS.index(notice.field) if notice.field in FIELDS else -1


def words_of(field: str, code: str, detail: str, lang: str) -> str:
    """The words of a field's error: the page's own for `<field>.missing` or the code, else intake's `detail`."""
    known = catalogue(lang)
    if code in _NOTHING_THERE and f"{field}.missing" in known:
        return known[f"{field}.missing"]
    return known.get(f"ask.error.{code}", detail)


def read_ask(sent: Mapping[str, str]) -> AskForm:
    """The form that was sent; a field that was not is empty, and a key that is none is drawn anew."""
    values = {field: sent.get(field, "") for field in FIELDS}
    return AskForm(MappingProxyType(values), drawn_key(sent.get(KEY, "")))


def blank_ask() -> AskForm:
    """The form as it is opened: an enterprise asks, for whom the page is first of all."""
    return read_ask({"who": RequesterKind.ENTERPRISE.value})


KINDS: Final = tuple(kind.value for kind in Kind)
REQUESTER_KINDS: Final = tuple(kind.value for kind in RequesterKind)
