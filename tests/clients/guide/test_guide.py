"""Every program and command of the page for integrators, run in the sample town."""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.conftest import COUNTED
from tests.integration.deploy.stacks import LIAISON, Stack
from tests.support.prose import GUIDES, Block, blocks, commands

ORIGIN = "http://127.0.0.1:8000"
RUN_SECONDS = 120
# The page says what each file is called and how it is run.
SAVED = re.compile(r"`([\w.]+)`[^\n`]*`((?:python3|node|java|go) [^`]+)`.*?```(\w+)\n", re.DOTALL)
PROGRAMS = [
    block for block in blocks(GUIDES[0]) if block.language in ("python", "ts", "java", "go")
]
SHELL = [block for block in blocks(GUIDES[0]) if block.language == "sh"]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def checkout(sandbox: Stack, tmp_path: Path) -> Path:
    """A folder with `.liaison` in it, as the reader's checkout has after `make up`."""
    (tmp_path / ".liaison").symlink_to(sandbox.folder)
    return tmp_path


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda block: block.language)
def test_a_program_submits_a_request_and_reads_its_first_event(
    program: Block, sandbox: Stack, checkout: Path, record_property
) -> None:
    file, command = saved_as()[program.language]
    (checkout / file).write_text(here(program.text, sandbox), "utf-8")
    printed = run(command, checkout)
    assert_first_event(printed, sandbox)
    record_property(COUNTED, f"{command}: receipt, first event")


def saved_as() -> dict[str, tuple[str, str]]:
    """The file name and the command of each language, as the page gives them."""
    found = SAVED.findall(GUIDES[0].read_text("utf-8"))
    return {language: (file, command) for file, command, language in found}


def test_curl_submits_a_request_and_reads_its_first_event(
    sandbox: Stack, checkout: Path, record_property
) -> None:
    [block] = [block for block in SHELL if "curl" in block.text]
    assert_first_event(run(here(block.text, sandbox), checkout), sandbox)
    record_property(COUNTED, "curl: receipt, first event")


@pytest.mark.parametrize("part", ["tokens add", "kafka-users add"])
def test_an_operator_makes_what_a_system_comes_in_with(
    part: str, sandbox: Stack, checkout: Path
) -> None:
    [block] = [block for block in SHELL if part in block.text]
    [command] = commands(block.text)
    there = command.replace(".venv/bin/liaison", str(LIAISON)) + " --data .liaison"
    printed = run(there, checkout).strip()
    assert printed, command
    if part == "tokens add":
        assert feed_status(sandbox, printed.splitlines()[-1]) == 200


def test_the_feed_is_asked_with_the_last_cursor(sandbox: Stack) -> None:
    token = sandbox.endpoints()["tokens"]["system"]
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=sandbox.endpoints()["web"], trust_env=False) as client:
        page = client.get("/intake/feed", params={"limit": 500}, headers=headers).json()
        while page["items"]:
            cursor = page["next"]
            query = {"limit": 500, "cursor": cursor}
            page = client.get("/intake/feed", params=query, headers=headers).json()
        assert page["next"] == cursor


def feed_status(sandbox: Stack, token: str) -> int:
    web = sandbox.endpoints()["web"]
    bearer = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{web}/intake/feed", headers=bearer, trust_env=False).status_code


def here(text: str, sandbox: Stack) -> str:
    """The text with this run's address where the page has the default one."""
    assert ORIGIN in text
    return text.replace(ORIGIN, sandbox.endpoints()["web"].rstrip("/"))


def run(command: str, folder: Path) -> str:
    """What a reader's shell prints. Fails when the command fails."""
    around = {name: v for name, v in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=around,
        capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_first_event(printed: str, sandbox: Stack) -> None:
    """The receipt is known to the town, and the event printed after it is that of its registration."""
    found = re.search(r"\b[0-9A-Z]{6}(?:-[0-9A-Z]{6}){3}\b", printed)
    assert found, printed
    receipt = found[0]
    web = sandbox.endpoints()["web"]
    status = httpx.get(f"{web}/intake/receipts/{receipt}", trust_env=False)
    assert status.status_code == 200, status.text
    event = printed[found.end() :]
    assert "liaison.request.registered.v1" in event
    first = json.loads(event[event.index("{") :].splitlines()[0])
    data = first.get("data", first)
    assert data["requester"]["name"] == "苇州砺锋数控设备有限公司"
    assert data["detail"].endswith("货车无法进出。")
