"""A client of each generator submits, reads its queue, accepts, feeds back, lists, and reads a problem."""

import json
import os
import shutil
import subprocess
import uuid
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.clients.generators.generators import GENERATORS, Generator
from tests.conftest import COUNTED
from tests.integration.deploy.stacks import Stack

FIRM = {"FIRM": "91990117MA0A49643B", "FIRM_NAME": "苇州砺锋数控设备有限公司"}
PLAY_SECONDS = 90


@pytest.mark.timeout(600)
@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: each.name)
def test_a_generated_client_plays_a_request(
    generator: Generator,
    builds: dict[str, Future[Path]],
    sandbox: Stack,
    record_property: Any,
) -> None:
    endpoints = sandbox.endpoints()
    tokens = {role.upper(): endpoints["tokens"][role] for role in ("system", "liaison")}
    found = _played(
        generator,
        builds[generator.language].result(),
        {"ORIGIN": endpoints["web"].rstrip("/"), "REF": str(uuid.uuid4()), **tokens, **FIRM},
    )
    assert found.pop("receipt")
    assert found == {
        "status": 202,
        "state": "in_progress",
        "listed": True,
        "problem": "urn:liaison:problem:invalid",
        "pointer": "/requester/id" if generator.name == "ogen" else "/summary",
    }
    record_property(
        COUNTED, f"{generator.name}: submit, queue, accept, feedback, list, problem document"
    )


def _played(generator: Generator, place: Path, settings: dict[str, str]) -> dict[str, Any]:
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        generator.play,
        cwd=place,
        env={**own, **settings},
        capture_output=True,
        text=True,
        timeout=PLAY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_tools_of_each_language_are_here() -> None:
    wanted = ("node", "npm", "java", "mvn", "go")
    assert [name for name in wanted if shutil.which(name) is None] == []
