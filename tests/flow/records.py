"""Makes records from the AsyncAPI document: as it is meant, with one thing broken, or with mangled headers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from shared.contracts import topics
from tests.flow.doors import DOORS, filled
from tests.flow.processes import SPEAKER
from tools.asyncapi.commands import COMMANDS
from tools.asyncapi.document import document

DOCUMENT: Final = document()
SCHEMAS: Final = DOCUMENT["components"]["schemas"]
MOST_CHARACTERS: Final = 40
MOST_ITEMS: Final = 3
WRITTEN: Final = st.text(
    st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=MOST_CHARACTERS
)
MOMENTS: Final = ("2026-03-02T09:30:00+08:00", "2026-03-02T01:30:00Z", "1970-01-01T00:00:00Z")
FORMATS: Final[Mapping[str, SearchStrategy[str]]] = {
    "uuid": st.uuids().map(str),
    "date-time": st.sampled_from(MOMENTS),
    "date": st.dates().map(str),
    "uri": st.just("https://files.example/a.pdf"),
}
NONSENSE: Final = st.sampled_from(
    (
        None,
        True,
        -1,
        10**30,
        1e308,
        "",
        " ",
        "\0",
        "\ud800",
        "字" * 20_000,
        [],
        {},
        [[]] * 50,
        {"": {}},
    )
)
BYTES: Final = st.sampled_from((None, b"", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 5000, b"{"))
HEADER_BYTES: Final = st.sampled_from(
    (
        b"",
        b"\0",
        b"\xff\xfe",
        b"0",
        b"-1",
        b"999999999",
        b"9" * 40,
        b"x" * 5000,
        "指令".encode(),
        b"a\r\nb",
    )
)

Json = dict[str, Any]
Header = tuple[str, bytes]


@dataclass(frozen=True)
class Record:
    """One record to be sent; its answer is known by one of `names`: a submission's source_ref, the ce_id."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[Header, ...]
    names: frozenset[str]


def values(schema: Json) -> SearchStrategy[Any]:
    """JSON values that fit a schema of the document."""
    if "$ref" in schema:
        return values(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of([values(each) for each in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    return _OF_TYPE[schema.get("type", "null")](schema)


def _text(schema: Json) -> SearchStrategy[Any]:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    if "pattern" in schema:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 200)
        found = st.from_regex(schema["pattern"], fullmatch=True)
        return found.filter(lambda text: shortest <= len(text) <= longest)
    return WRITTEN


def _object(schema: Json) -> SearchStrategy[Any]:
    needed = schema.get("required", ())
    fields = {name: values(each) for name, each in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name in needed},
        optional={name: each for name, each in fields.items() if name not in needed},
    )


_OF_TYPE: Final = {
    "object": _object,
    "string": _text,
    "array": lambda schema: st.lists(values(schema["items"]), max_size=MOST_ITEMS),
    "integer": lambda schema: st.integers(schema.get("minimum", 0), schema.get("maximum", 10**6)),
    "number": lambda schema: st.floats(0, 10**6),
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
}


@st.composite
def broken(draw: st.DrawFn, whole: SearchStrategy[Json]) -> Json:
    """An object with one field gone, of nonsense, or too many."""
    value = dict(draw(whole))
    name = draw(st.sampled_from(sorted(value) or ["party"]))
    match draw(st.sampled_from(("gone", "nonsense", "too many"))):
        case "gone":
            value.pop(name, None)
        case "nonsense":
            value[name] = draw(NONSENSE)
        case _:
            value["unheard_of"] = draw(NONSENSE)
    return value


@st.composite
def mangled(draw: st.DrawFn, headers: list[Header]) -> tuple[Header, ...]:
    """Headers of which one is gone, doubled, or of bytes that mean nothing."""
    place = draw(st.integers(0, len(headers) - 1))
    name = headers[place][0]
    match draw(st.sampled_from(("gone", "doubled", "nonsense"))):
        case "gone":
            return tuple(headers[:place] + headers[place + 1 :])
        case "doubled":
            return (*headers, (name, draw(HEADER_BYTES)))
        case _:
            return (*headers[:place], (name, draw(HEADER_BYTES)), *headers[place + 1 :])


@st.composite
def _record(draw: st.DrawFn, topic: str, wire_type: str, whole: SearchStrategy[Json]) -> Record:
    name, subject = str(uuid4()), str(uuid4())
    how = draw(st.sampled_from(("whole", "whole", "whole", "broken", "bytes", "mangled")))
    value = draw(broken(whole) if how == "broken" else whole)
    if how != "broken":
        # No two of a name, and each event on its own subject.
        own = {"source_ref": name} if topic == topics.SUBMISSIONS else {}
        if topic not in (topics.SUBMISSIONS, topics.COMMANDS):
            own = {field: subject for field in ("matter_id", "request_id") if field in value}
        value = value | own
    whole_headers = _headers(draw, topic, wire_type, (name, subject))
    headers = draw(mangled(whole_headers)) if how == "mangled" else tuple(whole_headers)
    sent = draw(BYTES) if how == "bytes" else json.dumps(value).encode()
    told = {_id_in(headers)} | (
        {str(value.get("source_ref", name))} if topic == topics.SUBMISSIONS else set()
    )
    names = frozenset(each.strip() for each in told if each.strip())
    return Record(topic, name.encode(), sent, headers, names)


def _id_in(headers: tuple[Header, ...]) -> str:
    """The last one counts."""
    return dict(headers).get("ce_id", b"").decode(errors="replace")


def _headers(draw: st.DrawFn, topic: str, wire_type: str, names: tuple[str, str]) -> list[Header]:
    name, subject = names
    source = draw(st.sampled_from((SPEAKER, SPEAKER, "https://stranger.example")))
    said = {
        "ce_specversion": "1.0",
        "ce_id": name,
        "ce_source": source,
        "ce_type": wire_type,
        "ce_time": MOMENTS[0],
        "ce_subject": subject,
        "ce_sequence": draw(st.sampled_from(("1", "1", "2"))),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    if topic in (topics.SUBMISSIONS, topics.COMMANDS):
        del said["ce_sequence"]
    return [(header, value.encode()) for header, value in said.items()]


def records(topic: str, things: Mapping[str, str]) -> SearchStrategy[Record]:
    """Records for a topic, of each of its types; commands are steps on the town's own things and on no things."""
    types = DOCUMENT["channels"][topic.removeprefix("liaison.")]["messages"]
    return st.sampled_from(sorted(types)).flatmap(
        lambda name: _record(topic, name, _payload(name, things))
    )


def _payload(wire_type: str, things: Mapping[str, str]) -> SearchStrategy[Json]:
    payload = values(DOCUMENT["components"]["messages"][wire_type]["payload"])
    entry = COMMANDS.get(wire_type)
    if entry is None:
        return payload
    body = filled(DOORS[f"POST {entry.path}"].body or {}, things)
    ids = {name: things[name] for name in entry.names}
    nothing = {name: str(uuid4()) for name in ids}
    return st.builds(
        lambda party, named: {"party": party} | named | body,
        st.sampled_from(("L001", "D-CON", "C001", None)),
        st.sampled_from((ids, nothing)),
    )
