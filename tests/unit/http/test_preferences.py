"""Who prefers no content gets the status alone; everybody else gets the answer as it is."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from shared.http.preferences import as_preferred


def answered(*preferences: str, status: int = 202) -> tuple[int, bytes, str | None]:
    headers = [(b"prefer", each.encode()) for each in preferences]
    given = JSONResponse({"receipt": "x"}, status)
    found = as_preferred(Request({"type": "http", "headers": headers}), given)
    return found.status_code, bytes(found.body), found.headers.get("preference-applied")


@pytest.mark.parametrize(
    "preferences",
    [
        ("return=minimal",),
        ('Return = "minimal"',),
        ("respond-async, return=minimal; foo=bar",),
        ("wait=10", "return=minimal"),
    ],
)
def test_a_minimal_answer_has_no_content_and_says_so(preferences: tuple[str, ...]):
    assert answered(*preferences) == (202, b"", "return=minimal")
    assert answered(*preferences, status=200) == (200, b"", "return=minimal")


def test_a_broker_that_takes_events_alone_gets_no_content():
    assert answered("reply") == (202, b"", None)
    assert answered("Reply, return=minimal") == (202, b"", "return=minimal")


@pytest.mark.parametrize("preferences", [(), ("return=representation",), ("replying",), ("",)])
def test_other_preferences_change_nothing(preferences: tuple[str, ...]):
    assert answered(*preferences) == (202, b'{"receipt":"x"}', None)
