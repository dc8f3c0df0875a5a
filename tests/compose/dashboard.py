"""The dashboard as code: every expression that a panel asks Prometheus, as Grafana would ask it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.compose.engine import ROOT

FILE: Final = ROOT / "deploy" / "compose" / "observe" / "grafana" / "dashboards" / "liaison.json"
INTERVAL: Final = "1m"
"""What Grafana makes of `$__rate_interval` where Prometheus asks every 15 s."""


def panels() -> list[dict[str, Any]]:
    """The panels that show something; rows are none."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """What each panel asks, with the panel's title."""
    for panel in panels():
        yield from ((panel["title"], asked(target)) for target in panel["targets"])


def asked(target: Mapping[str, Any]) -> str:
    expression: str = target["expr"]
    return expression.replace("$__rate_interval", INTERVAL)
