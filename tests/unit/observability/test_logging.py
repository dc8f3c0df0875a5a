"""Logs are objects of JSON, a line each, and repeat no value that a fault was about."""

import json
import subprocess
import sys

FAILING = """
import logging
import structlog
from shared.observability.logging import configure_logging

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


FORGING = """
import logging
import structlog
from shared.observability.logging import configure_logging

configure_logging()
value = chr(10) + '{"event": "forged"}' + chr(27) + "[2J" + chr(0x9B) + chr(0x202E) + chr(0x2028) + chr(0xDC80)
logging.getLogger("a.library").warning("said %s", value)
structlog.get_logger().warning("said", value=value, also={"店小二": value})
"""


def test_case_63_a_value_forges_no_line_of_a_log_and_commands_no_terminal():
    done = subprocess.run([sys.executable, "-c", FORGING], capture_output=True, check=True)
    lines = done.stderr.decode().split("\n")
    assert [json.loads(line)["event"][:4] for line in lines if line] == ["said", "said"]
    assert "店小二" in lines[1]
    assert all(character.isprintable() for line in lines for character in line)
