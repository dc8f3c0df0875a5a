"""The descriptions of the API and of the topics are held to the rules of Spectral and of Redocly."""

import subprocess
from concurrent.futures import Future
from pathlib import Path

import pytest

LINTERS = (
    ("spectral", "lint", "openapi.json", "asyncapi.json", "--fail-severity", "error"),
    ("redocly", "lint", "openapi.json", "--format", "summary"),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", LINTERS, ids=lambda each: each[0])
def test_a_linter_finds_no_fault(builds: dict[str, Future[Path]], command: tuple[str, ...]) -> None:
    place = builds["typescript"].result()
    tool = place / "node_modules" / ".bin" / command[0]
    done = subprocess.run(
        [tool, *command[1:]], cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
