"""Submissions to send, each with its own name."""

import itertools
from typing import Any

from shared.contracts.fields import uscc

numbers = itertools.count(1)


def code(number: int) -> str:
    """A valid unified social credit code."""
    body = f"91310117MA1{number:06d}"
    return body + uscc.check_character(body)


ENTERPRISE = code(900_001)
RESIDENT = "R-900001"
"""Who comes in by a token of its own."""


def submission(**changes: Any) -> dict[str, Any]:
    number = next(numbers)
    return {
        "source": "https://one-stop.example/hotline",
        "source_ref": f"call-{number}",
        "channel": "hotline",
        "kind": "help",
        "requester": {
            "kind": "enterprise",
            "id": code(number),
            "name": "云杉精密",
            "contact": {"name": "某联系人", "phone": "000-5550-0101"},
        },
        "summary": "园区北门道路积水",
        "detail": "雨后积水约二十厘米,货车无法进出,请尽快处理。",
    } | changes


def cloudevent(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"event-{next(numbers)}",
        "source": "https://one-stop.example/events",
        "type": "liaison.request.submitted.v1",
        "data": data,
    } | changes
