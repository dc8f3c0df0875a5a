"""A tracer that keeps its spans."""

import pytest

from shared.observability.tracing import Span, within

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOWHERE = "http://127.0.0.1:1"


class Kept:
    """Keeps the spans that it is told of."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.stopped = False

    def export(self, span: Span) -> None:
        self.spans.append(span)

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def kept() -> Kept:
    return Kept()


def span(number: int = 1) -> Span:
    return Span(f"part {number}", "server", within(GIVEN), GIVEN, 1, 2)
