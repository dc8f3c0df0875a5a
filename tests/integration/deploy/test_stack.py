"""A stack's life: up, up again, killed, taken up again, taken down."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.ports import is_free
from shared.delivery.kafka.address import KafkaAddress, Login
from tests.integration.deploy.stacks import Stack, of_an_ordinary_user, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Only its owner may enter this folder, which PostgreSQL's user is not when root runs it.
    stack = Stack(tmp_path_factory.mktemp("alone") / "data")
    yield stack
    stack.down()


@pytest.fixture
def stack(folder: Stack) -> Stack:
    """A stack that runs, whichever test is the first or has taken it down."""
    if not folder.has_endpoints():
        folder.up("--port", "0")
    return folder


def test_comes_up_and_says_where(stack: Stack):
    endpoints = stack.endpoints()
    assert set(endpoints) == {
        "web",
        "kafka",
        "kafka_sasl",
        "postgres",
        "tokens",
        "parties",
        "links",
    }
    assert (endpoints["tokens"], endpoints["links"]) == ({}, {})
    for secret in ("endpoints.json", "tokens.json", "tokens/operator", "tokens/coordinator"):
        assert (stack.folder / secret).stat().st_mode & 0o077 == 0, secret
    assert httpx.get(f"{endpoints['web']}/readyz", trust_env=False).status_code == 200
    now = json.loads(stack.run("status", "--json").out)
    assert now["ready"] is True
    names = {part["name"] for part in now["parts"]}
    assert names == {"postgres", "kafka", *SERVICES, "reconcile"}
    assert all(part["ready"] and part["restarts"] == 0 for part in now["parts"])
    assert set(now["lag"]) == set(now["outbox_age_s"]) == set(SERVICES)


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


def test_a_message_that_nobody_can_read_is_listed_shown_and_settled(stack: Stack):
    asyncio.run(send(stack, b"\xff no JSON"))
    until(lambda: len(waiting(stack)) == 1, 30)
    [letter] = waiting(stack)
    assert (letter["service"], letter["topic"]) == ("intake", "liaison.submissions")
    assert letter["reason"]
    assert letter["id"] in stack.run("dead-letters", "list").out
    assert "ff 20 6e 6f" in stack.run("dead-letters", "show", letter["id"]).out
    assert stack.run("doctor").code == 1
    again = stack.run("dead-letters", "replay", letter["id"])
    assert again.code == 1, again.out
    given_up = stack.run("dead-letters", "discard", letter["id"], "--reason", "a test sent it")
    assert given_up.code == 0, given_up.out + given_up.err
    assert waiting(stack) == []
    assert stack.run("doctor").code == 0
    unknown = stack.run("dead-letters", "show", str(UUID(int=0)))
    assert unknown.code == 1
    assert "Traceback" not in unknown.err


def waiting(stack: Stack) -> list[dict[str, Any]]:
    return json.loads(stack.run("dead-letters", "list", "--json").out)


async def send(stack: Stack, value: bytes) -> None:
    password = stack.run("kafka-users", "add", "sender").out.strip()
    kafka = KafkaAddress(stack.endpoints()["kafka"], login=Login("sender", password))
    producer = AIOKafkaProducer(**kafka.client())
    await producer.start()
    await producer.send_and_wait("liaison.submissions", value)
    await producer.stop()


def test_a_token_that_was_added_works_at_once(stack: Stack):
    token = stack.run("tokens", "add", "operator", "O777").out.strip()
    web = stack.endpoints()["web"]
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{web}/followup/matters", trust_env=False).status_code == 401
    seen = httpx.get(f"{web}/followup/matters", headers=bearer, trust_env=False)
    assert seen.status_code == 200, seen.text


def test_the_live_page_shows_the_staff_what_followup_says(stack: Stack):
    token = stack.run("tokens", "add", "operator", "O778").out.strip()
    web, bearer = stack.endpoints()["web"], {"authorization": f"Bearer {token}"}
    # The desk's keys are fetched within seconds of the start.
    until(lambda: httpx.get(f"{web}/", headers=bearer, trust_env=False).status_code == 200, 30)
    assert httpx.get(f"{web}/", trust_env=False).headers["location"].startswith("/sign-in")
    assert httpx.get(f"{web}/openapi.json", trust_env=False).json()["openapi"]


def test_a_data_folder_of_before_the_desk_comes_up(stack: Stack):
    asyncio.run(run_sql(stack, "drop schema desk cascade"))
    stack.down()
    (stack.folder / "desk-key.pem").unlink()
    stack.up("--port", "0")
    assert asyncio.run(run_sql(stack, "select count(*) from desk.session")) == 0
    assert stack.status()["ready"] is True


def test_with_servers_of_its_own_only_the_services_are_started_until_ctrl_c(
    database_url: str, kafka: str, tmp_path: Path
):
    settings = {"LIAISON_DATABASE_URL": database_url, "LIAISON_KAFKA": kafka}
    prefix = {"LIAISON_TOPIC_PREFIX": "elsewhere."}
    stack = Stack(tmp_path / "elsewhere", env=settings | prefix)
    with stack.started("up", "--port", "0") as here:
        until(lambda: stack.has_endpoints() or here.poll() is not None, 90)
        endpoints = stack.endpoints()
        assert (endpoints["postgres"], endpoints["kafka"]) == (database_url, kafka)
        now = json.loads(stack.run("status", "--json").out)
        assert now["ready"] is True
        names = {part["name"] for part in now["parts"]}
        assert names == {*SERVICES, "reconcile"}
        here.send_signal(signal.SIGINT)
        said, _ = here.communicate(timeout=40)
    assert here.returncode == 0, said
    assert endpoints["web"] in said
    assert "Traceback" not in said
    assert stack.processes() == []
    assert not stack.has_endpoints()


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
        assert set(parts) == {
            *("postgres", "kafka", "origin", "reconcile"),
            *SERVICES,
        }
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
    assert "Nothing was running" in stack.down().out
