"""The README typed by a newcomer, in both languages, on one stack with the sample town."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.deploy.stacks import LIAISON, Stack, until
from tests.support.prose import READMES, ROOT, Block, blocks, commands

pytestmark = pytest.mark.timeout(240)

ORIGIN = "http://127.0.0.1:8000"
COMMAND_SECONDS = 100.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("readme") / "data")
    stack.up("--demo", "--port", "0")
    yield stack
    stack.down()


@dataclass
class Terminal:
    """A shell in the newcomer's checkout: what the README writes, where it lies in this run."""

    stack: Stack
    spare: Path
    variables: dict[str, str] = field(default_factory=dict)

    def line(self, command: str) -> str:
        """The command as it is run. What is printed for a newcomer's default places leads to this run's."""
        places = {
            ORIGIN: self.stack.endpoints()["web"],
            ".liaison/": f"{self.stack.folder}/",
            ".venv/bin/liaison": str(LIAISON),
            "/backups/": f"{self.spare}/",
        }
        for written, here in places.items():
            command = command.replace(written, here)
        if str(LIAISON) in command and "--data" not in command:
            command += f" --data {self.stack.folder}"
        return command

    def types(self, command: str) -> str:
        """What the command prints; its assignment of a variable lasts. Fails when the command fails."""
        assigned = re.match(r"([A-Z]+)=", command)
        script = self.line(command) + (f'; printf %s "${assigned[1]}"' if assigned else "")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], env=self.environment(), cwd=ROOT,
            capture_output=True, text=True, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if assigned:
            self.variables[assigned[1]] = done.stdout
        return done.stdout

    def watches(self, command: str, wanted: str, seconds: float = 20.0) -> None:
        """Run a command that goes on until it has printed `wanted`."""
        output = self.spare / "watched"
        with output.open("w") as file, subprocess.Popen(
            ["bash", "-c", f"exec {self.line(command)}"], env=self.environment(), cwd=ROOT,
            stdout=file, stderr=subprocess.STDOUT,
        ) as running:  # fmt: skip
            try:
                until(lambda: wanted in output.read_text(), seconds)
            finally:
                running.send_signal(signal.SIGKILL)

    def environment(self) -> dict[str, str]:
        around = {name: v for name, v in os.environ.items() if not name.startswith("LIAISON_")}
        return around | {"LIAISON_LANG": "en", "NO_PROXY": "127.0.0.1"} | self.variables


@pytest.fixture(params=READMES, ids=lambda page: page.stem)
def readme(request: pytest.FixtureRequest) -> list[Block]:
    return list(blocks(request.param))


@pytest.fixture
def terminal(demo: Stack, tmp_path: Path) -> Terminal:
    return Terminal(demo, tmp_path)


def block_with(readme: list[Block], word: str) -> list[str]:
    [block] = [block for block in readme if word in block.text]
    return commands(block.text)


def test_case_64_the_first_example_is_taken_and_reaches_its_liaison(
    readme: list[Block], terminal: Terminal
):
    given, post = block_with(readme, "/intake/requests")
    terminal.types(given)
    answer = json.loads(terminal.types(post))
    assert set(answer) == {"request_id", "receipt", "status_url"}
    web = terminal.stack.endpoints()["web"]
    receipt = httpx.get(web + answer["status_url"], trust_env=False)
    assert receipt.status_code == 200, receipt.text
    # The second language says the same request: it is taken once.
    assert json.loads(terminal.types(post)) == answer
    queued_for_liaison(terminal.stack, answer["request_id"])


def queued_for_liaison(stack: Stack, matter_id: str) -> dict[str, Any]:
    """The item of the sample town's liaison, offered or accepted since."""
    web, token = stack.endpoints()["web"], stack.endpoints()["tokens"]["liaison"]
    bearer = {"authorization": f"Bearer {token}"}
    found: list[dict[str, Any]] = []

    def has_it() -> bool:
        queue = httpx.get(f"{web}/routing/queues/me", headers=bearer, trust_env=False).json()
        found[:] = [item for item in queue["items"] if item["matter_id"] == matter_id]
        return bool(found)

    until(has_it, 20)
    return found[0]


def test_a_liaison_reads_its_queue_and_accepts(readme: list[Block], terminal: Terminal):
    given, queue, stream, accept, matter = block_with(readme, "/routing/queues/me")
    terminal.types(given)
    offered: list[dict[str, Any]] = []

    def is_offered() -> bool:
        items = json.loads(terminal.types(queue))["items"]
        offered[:] = [item for item in items if item["state"] == "offered"]
        return bool(offered)

    until(is_offered, 30)
    terminal.watches(stream, offered[-1]["offer_id"])
    terminal.variables["OFFER"] = offered[-1]["offer_id"]
    terminal.variables["MATTER"] = offered[-1]["matter_id"]
    assert json.loads(terminal.types(accept))["state"] == "accepted"
    until(lambda: json.loads(terminal.types(matter))["state"] == "in_progress", 20)


def test_an_operators_commands_do_what_they_say(terminal: Terminal):
    # Once is enough: tests/meta/test_prose.py holds both languages to the same commands.
    typed = block_with(list(blocks(READMES[0])), "liaison doctor")
    [restore] = [command for command in typed if " restore " in command]
    [erase] = [command for command in typed if " erase " in command]
    for command in typed:
        if command not in (restore, erase):
            assert terminal.types(command).strip(), command
    [copy] = terminal.spare.glob("liaison-*.zip")
    elsewhere = terminal.spare / "restored"
    restored = re.sub(r"--data \S+", f"--data {elsewhere}", restore)
    terminal.types(restored.replace("liaison-….zip", copy.name))
    assert (elsewhere / "postgres").is_dir()
    receipt = an_ended_receipt(terminal.stack)
    terminal.types(erase.replace("RECEIPT", receipt))
    shutil.rmtree(elsewhere)


def an_ended_receipt(stack: Stack) -> str:
    """The receipt of a new request that its requester took back."""
    web, token = stack.endpoints()["web"], stack.endpoints()["tokens"]["system"]
    body = {
        "source": "https://one-stop.example/hotline", "source_ref": os.urandom(6).hex(),
        "channel": "hotline", "kind": "ask", "summary": "夜班公交几点收车", "detail": "员工下夜班赶不上车",
        "requester": {"kind": "resident", "id": "r-1", "name": "住户甲"},
    }  # fmt: skip
    with httpx.Client(base_url=web, trust_env=False) as client:
        bearer = {"authorization": f"Bearer {token}"}
        taken = client.post("/intake/requests", json=body, headers=bearer)
        assert taken.status_code == 202, taken.text
        url = taken.json()["status_url"]
        withdrawn = client.post(f"{url}/withdraw", json={})
        assert withdrawn.status_code in (200, 202), withdrawn.text
        until(lambda: client.get(url).json()["state"] == "withdrawn", 20)
    return str(taken.json()["receipt"])
