"""Prometheus's own linter (promlint, of client_golang) finds no fault in the metrics of a running stack."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.integration.deploy.stacks import Stack
from tests.support.copies import cached_copy


@pytest.mark.timeout(480)
def test_the_metrics_are_as_prometheus_asks(sandbox: Stack) -> None:
    place = cached_copy(Path(__file__).parent, "metrics")
    build = ("go", "build", "-mod=readonly", "-buildvcs=false", "-o", "lint", ".")
    subprocess.run(build, cwd=place, check=True, timeout=300)
    web = sandbox.endpoints()["web"].rstrip("/")
    answer = httpx.get(f"{web}/metrics", timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text
    metrics = answer.content
    for service in ("intake", "routing", "followup"):
        assert f'service="{service}"'.encode() in metrics
    done = subprocess.run(
        [place / "lint"], input=metrics, capture_output=True, timeout=30, check=False
    )
    assert done.stdout.decode() == ""
    assert done.returncode == 0, done.stderr.decode()
