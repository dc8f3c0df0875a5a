"""A stack's life: up, up again, killed, taken up again, taken down."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from deploy.embedded.ports import is_free
from tests.integration.deploy.stacks import Stack, of_an_ordinary_user, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Only its owner may enter this folder, which PostgreSQL's user is not when root runs it.
    stack = Stack(tmp_path_factory.mktemp("alone") / "data")
    yield stack
    stack.down()


def test_comes_up_and_says_where(stack: Stack):
    endpoints = stack.up("--port", "0")
    assert set(endpoints) == {"web", "kafka", "postgres", "tokens", "parties"}
    assert endpoints["tokens"] == {}
    for secret in ("endpoints.json", "tokens.json", "tokens/operator", "tokens/coordinator"):
        assert (stack.folder / secret).stat().st_mode & 0o077 == 0, secret
    assert httpx.get(f"{endpoints['web']}/readyz", trust_env=False).status_code == 200
    now = json.loads(stack.run("status", "--json").out)
    assert now["ready"] is True
    names = {part["name"] for part in now["parts"]}
    assert names == {"postgres", "kafka", "intake", "routing", "followup"}
    assert all(part["ready"] and part["restarts"] == 0 for part in now["parts"])
    assert set(now["lag"]) == set(now["outbox_age_s"]) == {"intake", "routing", "followup"}


def test_a_second_up_says_that_it_runs_and_where(stack: Stack):
    again = stack.run("up")
    assert again.code == 1
    assert stack.status()["web"] in again.out + again.err
    assert "liaison down" in again.out + again.err
    assert "Traceback" not in again.out + again.err


def test_a_port_that_another_program_has_is_named(stack: Stack, tmp_path: Path):
    port = stack.status()["web"].rsplit(":", 1)[1]
    other = Stack(tmp_path / "other")
    refused = other.run("up", "--detach", "--port", port)
    assert refused.code == 1
    assert port in refused.out
    assert "--port 0" in refused.out
    assert other.processes() == []


def test_a_part_that_dies_is_started_again(stack: Stack):
    before = stack.part("intake")
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: stack.part("intake")["restarts"] == 1 and stack.part("intake")["ready"], 40)
    assert stack.part("intake")["pid"] != before["pid"]
    assert "part.died" in (stack.folder / "logs" / "launcher.log").read_text()


def test_a_killed_launcher_leaves_nothing_that_up_does_not_mend(stack: Stack):
    asyncio.run(run_sql(stack, "create table kept as select '回音' as word"))
    os.kill(stack.launcher(), signal.SIGKILL)
    stack.up()
    assert asyncio.run(run_sql(stack, "select word from kept")) == "回音"
    assert stack.status()["ready"] is True
    assert len([p for p in stack.processes() if "kafka.Kafka" in p]) == 1


async def run_sql(stack: Stack, statement: str):
    connection = await asyncpg.connect(stack.endpoints()["postgres"])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_another_users_stack_runs_beside_it_with_a_process_for_each_service(stack: Stack):
    with of_an_ordinary_user() as other:
        here, there = stack.endpoints(), other.up("--isolated")
        for address in ("web", "kafka", "postgres"):
            assert here[address] != there[address]
        now = other.status()
        parts = {part["name"]: part["pid"] for part in now["parts"]}
        assert now["ready"] is True
        assert set(parts) == {"postgres", "kafka", "intake", "routing", "followup", "origin"}
        assert len(set(parts.values())) == len(parts)
        owners = {psutil.Process(pid).uids().real for pid in parts.values()}
        assert owners == {other.folder.stat().st_uid}
        assert 0 not in owners
        assert httpx.get(f"{there['web']}/readyz", trust_env=False).status_code == 200
        refused = replace(other, folder=Path("/proc/liaison")).run("up")
        assert refused.code == 1
        assert "--data" in refused.err + refused.out
        assert "Traceback" not in refused.err + refused.out
        assert other.down().code == 0
        assert other.processes() == []
    assert stack.status()["ready"] is True


def test_down_leaves_no_process_and_no_port(stack: Stack):
    ports = [int(stack.endpoints()[part].rsplit(":", 1)[1]) for part in ("web", "kafka")]
    launcher = stack.launcher()
    assert stack.down().code == 0
    assert stack.processes() == []
    assert not psutil.pid_exists(launcher) or psutil.Process(launcher).status() == "zombie"
    assert all(is_free(port) for port in ports)
    assert stack.status() == {"ready": False, "parts": [], "lag": {}, "outbox_age_s": {}}
    assert "Nothing ran" in stack.down().out
