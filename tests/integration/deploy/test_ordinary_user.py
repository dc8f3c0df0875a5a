"""A stack of somebody who is not root and has no right but to their own folders."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.embedded import jars
from tests.integration.deploy.stacks import LIAISON, Stack

pytestmark = pytest.mark.timeout(240)

ORDINARY = "daemon"
RUN_CLI = "from deploy.cli import app; app()"
PROJECT = Path(__file__).parents[3]


def python_for(uid: int) -> str:
    """A Python of our version that this user may run; ours may lie where only root may go."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}")
    for candidate in places:
        try:
            subprocess.run([candidate, "-c", ""], user=uid, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise AssertionError(f"no Python {version} that user {uid} may run among {places}")


@pytest.fixture
def theirs() -> Iterator[Stack]:
    """A folder of an ordinary user's own with Kafka's files in it, and the commands as that user."""
    # Outside pytest's folders, which are for root alone when root runs the tests.
    place = Path(tempfile.mkdtemp(prefix="ordinary-"))
    uid = pwd.getpwnam(ORDINARY).pw_uid if os.geteuid() == 0 else os.geteuid()
    jars.classpath(lambda come, expected: None)
    shutil.copytree(jars.cache_folder(), place / "cache")
    env = {"HOME": str(place), "LIAISON_CACHE": str(place / "cache")}
    command: tuple[str, ...] = (str(LIAISON),)
    user = None
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{uid}:{uid}", str(place)], check=True)
        env["PYTHONPATH"] = os.pathsep.join((str(PROJECT), *(p for p in sys.path if "site-" in p)))
        command, user = (python_for(uid), "-c", RUN_CLI), uid
    stack = Stack(place / "data", command, env, user)
    yield stack
    stack.down()
    shutil.rmtree(place)


async def test_an_ordinary_user_brings_a_stack_up_and_down(theirs: Stack):
    endpoints = theirs.up("--port", "0")
    connection = await asyncpg.connect(endpoints["postgres"])
    assert await connection.fetchval("select count(*) from intake.event") == 0
    await connection.close()
    owners = {psutil.Process(part["pid"]).uids().real for part in theirs.status()["parts"]}
    assert owners == {theirs.folder.stat().st_uid}
    assert 0 not in owners
    assert theirs.status()["ready"] is True
    assert theirs.down().code == 0
    assert theirs.processes() == []


def test_what_they_may_not_write_is_said_in_words(theirs: Stack):
    refused = Stack(Path("/proc/liaison"), theirs.command, theirs.env, theirs.uid)
    done = subprocess.run(
        [*refused.command, "up", "--data", str(refused.folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(theirs.env or {}), "LIAISON_LANG": "en"},
        user=theirs.uid,
        cwd="/",
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "--data" in said
    assert "Traceback" not in said
