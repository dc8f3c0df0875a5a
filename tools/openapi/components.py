"""The schemas of the document: one name for one meaning, and a title that is the name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

PLACE: Final = "#/components/schemas/"

PUBLISHED: Final = {
    "ActingParty": "Actor",
    "DeclinedOffer": "OfferDeclined",
    "DispatchDecision": "Dispatch",
    "RequestingParty": "Requester",
    "RuledObjection": "ObjectionRuled",
}
"""Components whose names clients hold on to, by the classes that have other names."""


def without_titles(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """A schema without the titles that pydantic makes of the fields' names."""
    if isinstance(schema, Mapping):
        return {
            key: without_titles(value)
            for key, value in schema.items()
            if key != "title" or not isinstance(value, str)
        }
    return [without_titles(part) for part in schema] if isinstance(schema, list) else schema


def objects_in(value: object) -> Iterator[Json]:
    """Every object in a part of a document, the part itself among them."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from objects_in(inner)


def rename(document: Json, names: Mapping[str, str]) -> None:
    """Give schemas of a document other names, wherever they are referred to."""
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {
        names.get(name, name): schema for name, schema in schemas.items()
    }
    for inner in objects_in(document):
        name = str(inner.get("$ref", "")).removeprefix(PLACE)
        if name in names:
            inner["$ref"] = f"{PLACE}{names[name]}"


def simplify_names(document: Json) -> None:
    """Call `Page[Thing]` PageOfThing, and take the module off names that two classes of one service share.

    Raises ValueError when the two are not of one shape.
    """
    schemas = document["components"]["schemas"]
    pages = {name: f"PageOf{name[5:-1]}" for name in schemas if name.startswith("Page_")}
    names = {name: name.rpartition("__")[2] for name in schemas if "__" in name}
    for name, plain in names.items():
        if any(_shape(schemas[name]) != _shape(schemas[n]) for n in names if names[n] == plain):
            raise ValueError(f"two classes of another shape are called {plain}")
    published = {name: plain for name, plain in PUBLISHED.items() if name in schemas}
    rename(document, names | pages | published)


def _shape(schema: Json) -> Json:
    shape: Json = without_titles({key: v for key, v in schema.items() if key != "description"})
    return shape


def join_components(documents: Mapping[str, Json]) -> Json:
    """The schemas of all services, those first that two services mean different things by under names of their own."""
    meanings: dict[str, list[Json]] = {}
    for document in documents.values():
        for name, schema in document["components"]["schemas"].items():
            meanings.setdefault(name, []).append(schema)
    shared = {name for name, found in meanings.items() if all(each == found[0] for each in found)}
    union: Json = {}
    for service, document in documents.items():
        schemas = document["components"]["schemas"]
        rename(
            document,
            {name: f"{service.capitalize()}{name}" for name in schemas if name not in shared},
        )
        union |= document["components"]["schemas"]
    return dict(sorted(union.items()))


def add_titles(document: Json) -> None:
    """Title each component by its name and nothing else: a generator names types by titles."""
    for part in (document["paths"], document["components"]["schemas"]):
        for key, value in list(part.items()):
            part[key] = without_titles(value)
    for name, schema in document["components"]["schemas"].items():
        schema["title"] = name


def say_defaults(document: Json) -> None:
    """Move the default of each field that may be left out into its description.

    Generators take a field with a default for one that is always there, and ask callers for it.
    """
    for schema in document["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            if "default" in field and name not in schema.get("required", ()):
                _say_default(field)


def _say_default(field: Json) -> None:
    default = field.pop("default")
    if default in (None, [], {}):
        return
    said = f"`{json.dumps(default, ensure_ascii=False)}` if it is left out"
    field["description"] = "; ".join(filter(None, (field.get("description"), said)))
