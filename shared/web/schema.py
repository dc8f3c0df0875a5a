"""Reads a JSON Schema into a list of fields for the docs pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from shared.messages.catalogue import text

Json: TypeAlias = Mapping[str, Any]

DEEPEST: Final = 4
DEEPEST_SAMPLE: Final = 8
_MOMENT: Final = "2026-03-02T09:30:00+08:00"
_SAMPLES: Final[Mapping[str, object]] = {
    "date-time": _MOMENT,
    "date": _MOMENT[:10],
    "uuid": "0195539c-5d2e-7c3a-9a41-3f0c5a6f1b2d",
    "uri": "https://one-stop.example/1",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body: `name` is its path from the top, with `[]` for the items of a list."""

    name: str
    depth: int
    type: str
    required: bool
    limits: str
    description: str


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of one document. `root` is where its references begin; `values` are samples by a field's name."""

    root: Json
    lang: str
    values: Json = field(default_factory=dict)

    def resolve(self, schema: Json) -> Json:
        """The schema itself, behind its reference; what stands beside a reference is kept."""
        seen = 0
        while "$ref" in schema and seen < DEEPEST:
            found: Any = self.root
            for step in str(schema["$ref"]).removeprefix("#/").split("/"):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
            schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
            seen += 1
        return self._joined(schema) if "allOf" in schema else schema

    def _joined(self, schema: Json) -> Json:
        """All parts of a schema as one: a field that several describe is all that they say."""
        parts = [self.resolve(part) for part in schema["allOf"]]
        fields: dict[str, Json] = {}
        for part in parts:
            for name, inner in part.get("properties", {}).items():
                fields[name] = {**fields.get(name, {}), **inner}
        required = [name for part in parts for name in part.get("required", ())]
        return {"type": "object", "properties": fields, "required": required}

    def fields(self, schema: Json, prefix: str = "", depth: int = 0) -> Iterator[Field]:
        """Every field of an object, of the objects in it and of the items of its lists, in their order."""
        schema, prefix = self._inside(schema, prefix)
        required = schema.get("required", ())
        for name, inner in schema.get("properties", {}).items():
            whole = self.resolve(inner)
            path = f"{prefix}{name}"
            yield Field(
                path,
                depth,
                self.type_of(inner),
                name in required,
                self.limits_of(whole),
                whole.get("description", ""),
            )
            if depth < DEEPEST:
                yield from self.fields(inner, f"{path}.", depth + 1)

    def _inside(self, schema: Json, prefix: str) -> tuple[Json, str]:
        """The object that is the schema, or that its list holds, or the first of its choices that is one."""
        whole = self._present(schema)
        if "items" in whole:
            return self._inside(whole["items"], f"{prefix.rstrip('.')}[]." if prefix else "[].")
        return whole, prefix

    def _present(self, schema: Json) -> Json:
        whole = self.resolve(schema)
        choices = whole.get("anyOf") or whole.get("oneOf") or ()
        for choice in (self.resolve(each) for each in choices):
            if choice.get("type") in ("object", "array") or "properties" in choice:
                return choice
        return whole

    def type_of(self, schema: Json) -> str:
        """The type as a short expression, such as `"http" | "kafka"`, `string (uuid)` or `Offer[]`."""
        whole = self.resolve(schema)
        if choices := whole.get("anyOf") or whole.get("oneOf"):
            return " | ".join(dict.fromkeys(self.type_of(choice) for choice in choices))
        if "enum" in whole:
            return " | ".join(f'"{value}"' for value in whole["enum"])
        if "const" in whole:
            return f'"{whole["const"]}"'
        kind = whole.get("type", "any")
        if kind == "array":
            inner = self.type_of(whole.get("items", {}))
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        return f"{kind} ({whole['format']})" if "format" in whole else str(kind)

    def _value(self, whole: Json) -> Json:
        """What it is when it is not null."""
        choices = (self.resolve(choice) for choice in whole.get("anyOf", ()))
        return next((choice for choice in choices if choice.get("type") != "null"), whole)

    def limits_of(self, whole: Json) -> str:
        """The lengths, ranges and default of a value, in words."""
        present = self._value(whole)
        found = [
            text(
                f"docs.limit.{name}",
                self.lang,
                low=present.get(low, "…"),
                high=present.get(high, "…"),
            )
            for name, low, high in (
                ("length", "minLength", "maxLength"),
                ("range", "minimum", "maximum"),
                ("items", "minItems", "maxItems"),
            )
            if low in present or high in present
        ]
        if whole.get("default") not in (None, [], ""):
            found.append(text("docs.limit.default", self.lang, value=whole["default"]))
        return text("page.comma", self.lang).join(found)

    def sample(self, schema: Json, depth: int = 0) -> object:
        """The smallest value that looks like one: what is required, and of lists one item."""
        whole = self._present(schema)
        for key in ("examples", "enum"):
            if whole.get(key):
                return whole[key][0]
        if "default" in whole or "const" in whole:
            return whole.get("const", whole.get("default"))
        if "properties" in whole and depth < DEEPEST_SAMPLE:
            required = whole.get("required", list(whole["properties"]))
            return {
                name: self._named(name, whole["properties"][name], depth + 1) for name in required
            }
        if "items" in whole and depth < DEEPEST_SAMPLE:
            return [self.sample(whole["items"], depth + 1)]
        if whole.get("anyOf"):
            return self.sample(whole["anyOf"][0], depth + 1)
        return self._plain(whole)

    def _named(self, name: str, schema: Json, depth: int) -> object:
        """The sample of a field: the value of its name, where that is of its type, else of its schema."""
        whole = self._value(self.resolve(schema))
        value = self.values.get(name)
        types = {str: "string", int: "integer", list: "array", type(None): "null"}
        is_free = not whole.keys() & {"enum", "const", "format", "properties"}
        if name in self.values and is_free and whole.get("type") in (types[type(value)], None):
            return value
        if value is None and name in self.values and {"type": "null"} in schema.get("anyOf", ()):
            return None
        return self.sample(schema, depth)

    def _plain(self, whole: Json) -> object:
        match whole.get("type"):
            case "object":
                return {}
            case "array":
                return []
            case "integer" | "number":
                return whole.get("minimum", 1)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return _SAMPLES.get(whole.get("format", ""), "…")
