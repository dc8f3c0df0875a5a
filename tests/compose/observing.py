"""Prometheus by its profile: the alerts are tried with promtool, and what they and the dashboard ask is asked of it."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.jobs.migrations import SERVICES
from tests.compose import dashboard
from tests.compose.engine import ROOT, Failed, run
from tests.compose.ground import Site
from tests.compose.pages import type_block

IMAGE: Final = "prom/prometheus:v3.5.0"
OBSERVE: Final = ROOT / "deploy" / "compose" / "observe"
ALERTS: Final = OBSERVE / "alerts.yml"
CASES: Final = Path(__file__).parent / "alerts.test.yml"
FOUND_SECONDS: Final = 120.0
"""Longer than two of Prometheus' rounds and the services' own from one count to the next."""
FIGURE: Final = re.compile(r"\b(liaison_\w+|node_filesystem_\w+|up)\b")


def try_alerts() -> str:
    """Raises Failed when an alert fires too early, too late or not at all."""
    mounts = ["-v", f"{OBSERVE}:/etc/prometheus:ro", "-v", f"{CASES}:/cases.yml:ro"]
    tool = ["docker", "run", "--rm", *mounts, "--entrypoint", "promtool", IMAGE]
    run([*tool, "check", "config", "/etc/prometheus/prometheus.yml"])
    run([*tool, "test", "rules", "/cases.yml"])
    return f"({len(re.findall('- alert: ', ALERTS.read_text()))} alerts)"


def look(site: Site) -> str:
    """Raises Failed when Prometheus does not come to know a service, an alert's figure, or what a panel shows.

    Grafana itself does not run: what it would ask is in its dashboard.
    """
    # The dashboard's own image cannot be had everywhere: what it would ask is asked here.
    up = "docker compose --profile observe up --detach --wait"
    type_block(site, "figures", 0, {up: f"{up} --no-recreate prometheus disks"})
    figures = sorted(set(FIGURE.findall(ALERTS.read_text())) - {"up"})
    panels = [expression for _, expression in dashboard.expressions()]
    late = time.monotonic() + FOUND_SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{site.ports['metrics']}", timeout=10) as client:
        while missing := _missing(client, [*figures, *panels]):
            if time.monotonic() > late:
                raise Failed(f"Prometheus has nothing of {missing}")
            time.sleep(1)
    return f"({len(figures)} figures of alerts, {len(panels)} expressions of the dashboard)"


def _missing(client: httpx.Client, expressions: Sequence[str]) -> list[str]:
    parts = {sample["metric"]["part"] for sample in _asked(client, 'up{job="liaison"} == 1')}
    return sorted(set(SERVICES) - parts) + [
        each for each in expressions if not _asked(client, each)
    ]


def _asked(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", params={"query": expression})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return found
