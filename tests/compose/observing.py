"""Prometheus by its profile: the alerts are tried with promtool, and what they ask for is asked of the stack."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.migrations import SERVICES
from tests.compose.engine import ROOT, Failed, run
from tests.compose.ground import Site

IMAGE: Final = "prom/prometheus:v3.5.0"
OBSERVE: Final = ROOT / "deploy" / "compose" / "observe"
ALERTS: Final = OBSERVE / "alerts.yml"
CASES: Final = Path(__file__).parent / "alerts.test.yml"
FOUND_SECONDS: Final = 90.0
FIGURE: Final = re.compile(r"\b(liaison_\w+|up)\b")


def try_alerts() -> str:
    """Raises Failed when an alert fires too early, too late or not at all."""
    mounts = ["-v", f"{OBSERVE}:/etc/prometheus:ro", "-v", f"{CASES}:/cases.yml:ro"]
    tool = ["docker", "run", "--rm", *mounts, "--entrypoint", "promtool", IMAGE]
    run([*tool, "check", "config", "/etc/prometheus/prometheus.yml"])
    run([*tool, "test", "rules", "/cases.yml"])
    return f"({len(re.findall('- alert: ', ALERTS.read_text()))} alerts)"


def look(site: Site) -> str:
    """Raises Failed when Prometheus does not come to know a figure of each service."""
    site.stack.up("--no-recreate", "prometheus")
    figures = sorted(set(FIGURE.findall(ALERTS.read_text())) - {"up"})
    late = time.monotonic() + FOUND_SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{site.ports['metrics']}", timeout=10) as client:
        while missing := _missing(client, figures):
            if time.monotonic() > late:
                raise Failed(f"Prometheus has nothing of {missing}")
            time.sleep(1)
    return f"({len(figures)} figures)"


def _missing(client: httpx.Client, figures: Sequence[str]) -> list[str]:
    parts = {sample["metric"]["part"] for sample in _asked(client, "up == 1")}
    return sorted(set(SERVICES) - parts) + [name for name in figures if not _asked(client, name)]


def _asked(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", params={"query": expression})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return found
