"""One CloudEvent in each content mode of the Kafka and HTTP bindings, written by hand from the specification."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from shared.delivery.cloudevents import Raw

Event = Mapping[str, Any]

STRUCTURED_TYPES: Final = (
    "application/cloudevents+json",
    "application/cloudevents+json; charset=UTF-8",
    "Application/CloudEvents+JSON;charset=utf-8;x=y",
)


def event(data: Any, **attributes: Any) -> dict[str, Any]:
    """An event with the attributes that are needed; those given as None are left out."""
    whole = {
        "specversion": "1.0",
        "id": "0d6a1a3e-6a0c-4b93-a2f4-2f5bd1b4e001",
        "source": "https://one-stop.example/events",
        "type": "liaison.request.submitted.v1",
    } | attributes
    return {name: value for name, value in whole.items() if value is not None} | {"data": data}


def in_base64(given: Event) -> dict[str, Any]:
    """The same event with its data as `data_base64`."""
    written = b64encode(json.dumps(given["data"]).encode()).decode()
    return {name: value for name, value in given.items() if name != "data"} | {
        "data_base64": written
    }


def binary_record(given: Event, topic: str, prefix: str = "ce_") -> Raw:
    headers = [
        (f"{prefix}{name}", str(value).encode()) for name, value in given.items() if name != "data"
    ]
    value = json.dumps(given["data"]).encode()
    return Raw(topic, 0, 0, None, value, (*headers, ("content-type", b"application/json")))


def structured_record(given: Event, topic: str, content_type: str | None = None) -> Raw:
    headers = () if content_type is None else (("content-type", content_type.encode()),)
    return Raw(topic, 0, 0, None, json.dumps(given).encode(), headers)


def records_of(given: Event, topic: str) -> dict[str, Raw]:
    """The event as a record in each way that a sender may write it."""
    return {
        "binary": binary_record(given, topic),
        "binary, large letters": binary_record(given, topic, "CE_"),
        "structured, without a type": structured_record(given, topic),
        "structured, base64": structured_record(in_base64(given), topic, STRUCTURED_TYPES[0]),
        **{
            f"structured, {content_type}": structured_record(given, topic, content_type)
            for content_type in STRUCTURED_TYPES
        },
    }


def http_headers(given: Event) -> dict[str, str]:
    """The headers of binary mode over HTTP, each value percent-encoded."""
    named = {
        f"ce-{name}": quote(str(value), safe="!#$&'()*+,/:;=?@[]-._~")
        for name, value in given.items()
        if name not in ("data", "data_base64")
    }
    return named | {"content-type": "application/json"}
