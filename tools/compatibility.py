"""Compares two versions of a schema: what a reader or a writer of the older one would meet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

ANYTHING: Final[Schema] = {}

LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
EXACT: Final = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding")
REMOVED: Final = ": the field was removed"
# A finding about the new schema, said of the old one.
IN_THE_PAST: Final = (
    ("may no longer be", "could not be"),
    ("may only be", "could only be"),
    ("must be", "had to be"),
    ("is not required before and required", "was required"),
    ("is new and required", "was required"),
    ("are no longer passed over", "were not passed over"),
    ("` is ", "` was "),
    (" now", ""),
)
JUDGED: Final = frozenset(
    (*LOWER, *UPPER, *EXACT, "type", "enum", "const", "anyOf", "oneOf", "properties", "required")
) | {"additionalProperties", "items", "prefixItems", "$ref"}
WORDS: Final = frozenset(
    ("$schema", "$id", "$defs", "title", "description", "default", "examples", "deprecated")
)


@dataclass(frozen=True, slots=True)
class Side:
    """A schema of a document, and the document that its references are looked up in."""

    schema: Schema
    root: Schema

    def at(self, schema: Schema) -> "Side":
        """Another schema of the same document, with its reference followed."""
        reference = schema.get("$ref")
        if reference is None:
            return Side(schema, self.root)
        found: Any = self.root
        for step in str(reference).removeprefix("#/").split("/"):
            found = found[step]
        return self.at(found)


def breaking(old: Schema, new: Schema) -> list[str]:
    """In what a document that fitted `old` need not fit `new`, or lacks a field that `old` named."""
    return list(_narrowed(Side(old, old).at(old), Side(new, new).at(new), "", frozenset()))


def surprising(old: Schema, new: Schema) -> list[str]:
    """In what a document that fits `new` need not fit `old`, apart from fields that `old` does not name.

    Whoever reads by `old` passes over what it does not name; anything else it does not expect.
    """
    reader = Side(old, old)
    found = _narrowed(Side(new, new).at(new), reader.at(old), "", frozenset())
    return [_of_reader(what) for what in found if not what.endswith(REMOVED)]


def _of_reader(what: str) -> str:
    for now, then in IN_THE_PAST:
        what = what.replace(now, then)
    return what


def _narrowed(old: Side, new: Side, place: str, above: frozenset[str]) -> Iterator[str]:
    pair = f"{id(old.schema)} {id(new.schema)}"
    if pair in above:
        return
    above |= {pair}
    if _alternatives(old) or _alternatives(new):
        yield from _fewer_alternatives(old, new, place, above)
        return
    for keyword in sorted((old.schema.keys() ^ new.schema.keys()) - JUDGED - WORDS):
        yield f"{_name(place)}: `{keyword}` came or went, and what that means is not known here"
    yield from _other_types(old.schema, new.schema, place)
    yield from _fewer_values(old.schema, new.schema, place)
    yield from _tighter(old.schema, new.schema, place)
    yield from _fewer_fields(old, new, place, above)
    yield from _narrower_items(old, new, place, above)


def _name(place: str) -> str:
    return place or "the event"


def _alternatives(side: Side) -> list[Schema]:
    return [*side.schema.get("anyOf", ()), *side.schema.get("oneOf", ())]


def _fewer_alternatives(old: Side, new: Side, place: str, above: frozenset[str]) -> Iterator[str]:
    choices = [new.at(schema) for schema in _alternatives(new) or [new.schema]]
    for schema in _alternatives(old) or [old.schema]:
        was = old.at(schema)
        findings = [list(_narrowed(was, choice, place, above)) for choice in choices]
        if all(findings):
            # The nearest alternative says best what has become of this one.
            yield from min(findings, key=len)


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", ())
    return {named} if isinstance(named, str) else set(named)


def _other_types(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _types(old), _types(new)
    allowed = after | ({"integer"} if "number" in after else set())
    if after and not before:
        yield f"{_name(place)}: must be {_listed(after)} now"
    elif after and before - allowed:
        yield f"{_name(place)}: may no longer be {_listed(before - allowed)}"


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    found = schema.get("enum")
    return None if found is None else list(found)


def _fewer_values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _values(old), _values(new)
    if after is None:
        return
    if before is None:
        yield f"{_name(place)}: may only be one of {_listed(after)} now"
    elif gone := [value for value in before if value not in after]:
        yield f"{_name(place)}: may no longer be {_listed(gone)}"


def _listed(values: Any) -> str:  # noqa: ANN401 - types' names or an enumeration's values
    return ", ".join(sorted(str(value) for value in values))


def _tighter(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for keyword in LOWER:
        if keyword in new and (keyword not in old or new[keyword] > old[keyword]):
            yield f"{_name(place)}: `{keyword}` is {new[keyword]} now"
    for keyword in UPPER:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield f"{_name(place)}: `{keyword}` is {new[keyword]} now"
    for keyword in EXACT:
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{_name(place)}: `{keyword}` is {new[keyword]!r} now"


def _fewer_fields(old: Side, new: Side, place: str, above: frozenset[str]) -> Iterator[str]:
    before: Schema = old.schema.get("properties", {})
    after: Schema = new.schema.get("properties", {})
    for field in sorted(before.keys() - after.keys()):
        yield f"{place}/{field}{REMOVED}"
    for field in sorted(set(new.schema.get("required", ())) - set(old.schema.get("required", ()))):
        was = "new and" if field not in before else "not required before and"
        yield f"{place}/{field}: the field is {was} required"
    for field in sorted(before.keys() & after.keys()):
        yield from _narrowed(old.at(before[field]), new.at(after[field]), f"{place}/{field}", above)
    yield from _narrower_rest(old, new, place, above)


def _narrower_rest(old: Side, new: Side, place: str, above: frozenset[str]) -> Iterator[str]:
    before, after = (side.schema.get("additionalProperties", True) for side in (old, new))
    if after is False and before is not False:
        yield f"{_name(place)}: fields that are not named are no longer passed over"
    elif isinstance(after, Mapping) and before is not False:
        was = before if isinstance(before, Mapping) else ANYTHING
        yield from _narrowed(old.at(was), new.at(after), f"{place}/*", above)


def _narrower_items(old: Side, new: Side, place: str, above: frozenset[str]) -> Iterator[str]:
    before, after = (side.schema.get("prefixItems", ()) for side in (old, new))
    if len(before) != len(after):
        yield f"{_name(place)}: has {len(after)} named places now"
        return
    pairs = [
        (f"{place}/{index}", *pair) for index, pair in enumerate(zip(before, after, strict=True))
    ]
    if "items" in new.schema and new.schema["items"] is not True:
        pairs.append((f"{place}/*", old.schema.get("items", ANYTHING), new.schema["items"]))
    for inner, was, now in pairs:
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _narrowed(old.at(was), new.at(now), inner, above)
