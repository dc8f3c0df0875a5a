"""A stack on a data folder of any name: it works twice, and everything lies in the folder, for its owner alone."""

import asyncio
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from tests.integration.deploy.stacks import LIAISON, Stack, until

pytestmark = pytest.mark.timeout(300)

ODD = "-数据,a b #50%k=v\\ 'q' \"Q\" a:b ~ $(id) [red] é"
LONG = "/".join(["很长" * 30] * 3 + ["x" * 100])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that anybody may enter."""
    place = tmp_path / "place"
    place.mkdir(mode=0o755)
    return place


def everything_below(place: Path) -> set[str]:
    return {entry.name for entry in place.iterdir()}


def open_to_others(root: Path) -> list[str]:
    """What others could reach: a closed folder hides all that is in it."""
    if root.stat().st_mode & 0o077 == 0:
        return []
    return [str(entry) for entry in root.rglob("*") if entry.stat().st_mode & 0o007]


async def asked_of(stack: Stack, statement: str):
    connection = await asyncpg.connect(stack.endpoints()["postgres"])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_case_61_82_a_folder_of_an_odd_name_works_twice_and_keeps_all_to_itself(place: Path):
    """It is named as a shell would, from the folder above, on a terminal that shows nothing of the name."""
    stack = Stack(place / ODD)
    terminal = {"PYTHONIOENCODING": "gbk", "LC_ALL": "C", "LIAISON_LANG": "zh"}
    before = set(os.listdir("/"))
    try:
        said = subprocess.run(
            [LIAISON, "up", "--detach", "--port", "0", "--data", ODD],
            **{**replace(stack, env=terminal)._how(), "cwd": place, "text": False},
            capture_output=True,
            timeout=200,
        )
        assert said.returncode == 0, said.stdout.decode("gbk", "replace") + stack.logs()
        asyncio.run(asked_of(stack, "create table kept as select '回音' as word"))
        cluster = (stack.folder / "kafka/data/meta.properties").read_text()
        assert everything_below(place) == {ODD}
        assert set(os.listdir("/")) == before
        assert stack.folder.stat().st_mode & 0o777 == 0o700
        assert open_to_others(stack.folder) == []
        parts = [p for p in stack.folder.iterdir() if p.is_dir()]
        assert all(part.stat().st_mode & 0o077 == 0 for part in parts)
        assert stack.down().code == 0
        there = up_on_a_terminal_that_has_gone(stack)
        assert asyncio.run(asked_of(stack, "select word from kept")) == "回音"
        assert (stack.folder / "kafka/data/meta.properties").read_text() == cluster
        assert json.loads(stack.run("status", "--json").out)["ready"] is True
        assert everything_below(place) == {ODD}
        assert stack.down().code == 0
        assert there.wait(30) == 0
    finally:
        stack.down()


def up_on_a_terminal_that_has_gone(stack: Stack) -> subprocess.Popen[bytes]:
    """`liaison up` in the foreground, with an output that nobody reads any more and a disk that is full behind it."""
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "wb") as full:
        child = subprocess.Popen(
            [LIAISON, "up", "--port", "0", "--data", str(stack.folder)],
            **{**stack._how(), "text": False},
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=full,
            start_new_session=True,
        )
    os.close(writing)
    until(stack.has_endpoints, 200)
    until(lambda: stack.status()["ready"], 60)
    return child


def test_case_61_a_long_path_behind_a_link_works(place: Path):
    (place / LONG).mkdir(parents=True, mode=0o700)
    (place / "链接").symlink_to(place / LONG)
    stack = Stack(place / "链接" / "data")
    try:
        stack.up("--port", "0")
        assert (place / LONG / "data" / "kafka" / "data" / "meta.properties").exists()
        assert stack.run("doctor").code == 0
    finally:
        stack.down()
