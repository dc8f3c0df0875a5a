"""CloudEvents 1.0 as other systems send them: one envelope out of either content mode, and what is wrong with it."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

SUBMITTED_TYPE: Final = "liaison.request.submitted.v1"
SPECVERSION: Final = "1.0"

MEDIA_PREFIX: Final = "application/cloudevents"
"""What the media type of every structured event begins with."""

STRUCTURED: Final = "application/cloudevents+json"
"""The one event format that is read."""

REQUIRED: Final = ("specversion", "id", "source", "type")

_TEXTS: Final = (*REQUIRED, "subject", "datacontenttype", "dataschema", "time")
_DATA: Final = ("data", "data_base64")
_JSON: Final = frozenset({"application/json", "text/json"})
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

# What CloudEvents' String has none of (spec 1.0.2, 3.1), and the empty text that no required attribute may be.
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


def with_envelope_names(
    data: dict[str, object], source: object, event_id: object
) -> dict[str, object]:
    """`data` with `source` and `source_ref` taken from the envelope where it does not name them itself."""
    names = {"source": source, "source_ref": event_id}
    return {key: value for key, value in names.items() if value is not None} | data


@dataclass(frozen=True, slots=True)
class AttributeFault:
    """One thing wrong with an event: the attribute or member, and the code of its words (`field.<code>`)."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it was sent. `attributes` has the texts alone; `data` is JSON's value, None where there is none."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    data: object = None
    faults: tuple[AttributeFault, ...] = ()

    @property
    def id(self) -> str | None:
        return self.attributes.get("id")

    @property
    def source(self) -> str | None:
        return self.attributes.get("source")

    @property
    def type(self) -> str | None:
        return self.attributes.get("type")

    @property
    def traceparent(self) -> str | None:
        """The trace that the event began in, by the distributed tracing extension; not checked."""
        return self.attributes.get("traceparent")

    @property
    def lang(self) -> str | None:
        """The extension attribute by which a sender says what language it reads."""
        return self.attributes.get("lang")


def read_structured(document: Mapping[str, object]) -> Envelope:
    """The envelope of an event in the JSON format. What is wrong with it is among its faults; nothing is raised.

    A null counts as absent, as the JSON format says.
    """
    attributes: dict[str, str] = {}
    wrong: list[AttributeFault] = []
    # One pass: batches of a thousand come by here.
    for name, value in document.items():
        if isinstance(value, str):
            attributes[name] = value
        elif value is not None and name in _TEXTS:
            wrong.append(AttributeFault(name, "string_type"))
    if not is_json(attributes.get("datacontenttype")):
        wrong.append(AttributeFault("datacontenttype", "data_media_type"))
    for name in _DATA:
        attributes.pop(name, None)
    data, fault = _data_of(document)
    if fault is not None:
        wrong.append(fault)
    return Envelope(attributes, data, tuple(wrong))


def _data_of(document: Mapping[str, object]) -> tuple[object, AttributeFault | None]:
    data, written = document.get("data"), document.get("data_base64")
    if written is None:
        return data, None
    if data is not None:
        return None, AttributeFault("data_base64", "data_twice")
    if not isinstance(written, str):
        return None, AttributeFault("data_base64", "string_type")
    try:
        return orjson.loads(b64decode(written, validate=True)), None
    except orjson.JSONDecodeError:
        return None, AttributeFault("data_base64", "json_invalid")
    except (binascii.Error, ValueError):
        return None, AttributeFault("data_base64", "base64")


def is_structured(content_type: str | None) -> bool:
    """Whether a content type names an event format, read here or not."""
    return (content_type or "").strip().lower().startswith(MEDIA_PREFIX)


def is_readable(content_type: str | None) -> bool:
    """Whether a content type names the one event format that is read, whatever its parameters."""
    return (content_type or "").partition(";")[0].strip().lower() == STRUCTURED


def is_json(content_type: str | None) -> bool:
    """Whether data of this type is JSON in UTF-8; data without a type is."""
    if content_type is None or content_type in _JSON:
        return True
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [
        value.strip().strip('"')
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip() == "charset"
    ]
    named = media_type in _JSON or media_type.endswith("+json")
    return named and all(charset in _CHARSETS for charset in charsets)


def faults_as_submission(envelope: Envelope) -> list[AttributeFault]:
    """All that keeps an event from being a submission's envelope; what its data holds is the model's matter."""
    found = faults_of(envelope)
    if envelope.attributes.get("type", "") not in ("", SUBMITTED_TYPE):
        found.append(AttributeFault("type", "unknown_type"))
    return found


def faults_of(envelope: Envelope) -> list[AttributeFault]:
    """All that keeps an event from being one of CloudEvents 1.0 with an object as its data."""
    attributes, data = envelope.attributes, envelope.data
    found = [*envelope.faults, *_missing(envelope)]
    if attributes.get("specversion", "") not in ("", SPECVERSION):
        found.append(AttributeFault("specversion", "unknown_specversion"))
    if not isinstance(data, dict) and not any(each.name in _DATA for each in found):
        found.append(AttributeFault("data", "missing" if data is None else "model_type"))
    return found


def _missing(envelope: Envelope) -> Iterator[AttributeFault]:
    for name in REQUIRED:
        value = envelope.attributes.get(name)
        if value is None:
            if all(fault.name != name for fault in envelope.faults):
                yield AttributeFault(name, "missing")
        elif not _TEXT.fullmatch(value):
            yield AttributeFault(name, "attribute_text")
