"""oasdiff finds nothing in the API's description that breaks a client of the last release."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.copies import cached_copy
from tests.support.described import FILE
from tests.support.published import FOLDER


@pytest.mark.timeout(480)
def test_no_client_of_the_last_release_is_broken() -> None:
    place = cached_copy(Path(__file__).parent, "changes")
    tool = ("go", "tool", "oasdiff", "breaking", "--format", "json", "--fail-on", "ERR")
    done = subprocess.run(
        [*tool, FOLDER / FILE.name, FILE],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    found = json.loads(done.stdout) if done.stdout.strip() else []
    assert [f"{each['operation']} {each['path']}: {each['text']}" for each in found] == []
    assert done.returncode == 0, done.stderr
