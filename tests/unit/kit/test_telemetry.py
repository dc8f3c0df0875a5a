"""Logs are objects of JSON, a line each, and repeat no value that a fault was about."""

import json
import subprocess
import sys

FAILING = """
import logging
import structlog
from shared.kit.telemetry import configure_logging

configure_logging()
number = "13800138000"
for log in (logging.getLogger("a.library"), structlog.get_logger()):
    try:
        try:
            int(number + "x")
        except ValueError as fault:
            raise RuntimeError(f"not {number}") from fault
    except RuntimeError:
        log.exception("failed")
"""


def test_a_traceback_names_lines_and_no_values():
    done = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["failed", "failed"]
    for line in lines:
        assert line["level"] == "error"
        assert 'File "<string>", line ' in line["exception"]
        assert "RuntimeError" in line["exception"]
    assert "13800138000" not in done.stderr
