"""The steps of a run that are not faults: build, start, use, scale, copy, take down."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from tests.compose.engine import Failed, Stack, run
from tests.compose.ground import Site
from tests.faults import queries
from tests.faults.town import Town

BACKUP = "/var/backups/liaison/town.zip"
PLAY_SECONDS = 300.0
CURRENT_SECONDS = 120.0
# What was restored has gone all the way when each request has its matter and nothing waits to be sent.
BEHIND = """
select (select count(*) from intake.request)
       - (select count(*) from followup.matter where id in (select id from intake.request))
     + (select count(*) from intake.outbox) + (select count(*) from routing.outbox)
     + (select count(*) from followup.outbox)"""


def refuse(site: Site) -> None:
    """Raises Failed when the stack would start without its name, or without one of its passwords."""
    nameless = replace(site.stack, env={**site.stack.env, "LIAISON_DOMAIN": ""})
    _refused(nameless, "LIAISON_DOMAIN", "config", "--quiet")
    secret = site.folder / "secrets" / "database_admin"
    hidden = secret.rename(secret.with_suffix(".hidden"))
    try:
        _refused(site.stack, "database_admin", "up", "--no-start", "postgres")
    finally:
        hidden.rename(secret)


def _refused(stack: Stack, naming: str, *arguments: str) -> None:
    try:
        stack.compose(*arguments)
    except Failed as fault:
        if naming not in str(fault):
            raise Failed(f"what is missing is not named: {fault}") from fault
    else:
        raise Failed(f"it starts without {naming}")


def build(site: Site) -> None:
    """Build our image; the compose file must be clean."""
    site.stack.compose("config", "--quiet")
    site.stack.compose("build", seconds=580)


def bring_up(site: Site) -> None:
    """Start all of it, and let everybody come in."""
    site.stack.up()
    site.fetch_authority()
    site.put_tokens()
    token = site.stack.liaison("tokens", "add", "operator", "O009").strip()
    if len(token) < 32:
        raise Failed(f"no token: {token!r}")


def play(site: Site) -> str:
    """The sample town and its day, by public calls from outside."""
    endpoints = site.write_endpoints()
    env = os.environ | {"LANG": "en_US.UTF-8", "LC_ALL": "C.UTF-8"}
    said = ""
    for what in ("load", "play"):
        command = [sys.executable, "-m", "deploy.demo", what, "--endpoints", str(endpoints)]
        said = run(command, seconds=PLAY_SECONDS, env=env).strip()
    return said.splitlines()[-1]


def scale(site: Site) -> None:
    """Three replicas of routing, all healthy."""
    site.stack.up("--no-recreate", "--scale", "routing=3")
    if len(site.stack.containers("routing")) != 3:
        raise Failed("there are not three of routing")


def back_up(site: Site) -> None:
    """A backup while requests come in."""
    site.stack.liaison("backup", BACKUP)


def restore(copy: Site) -> None:
    """The backup into a stack that has never run, which then goes on from it."""
    copy.stack.compose("up", "--detach", "--wait", "postgres", "kafka")
    copy.stack.compose("run", "--rm", "-T", "users")
    copy.stack.compose("run", "--rm", "-T", "topics")
    copy.stack.liaison("restore", BACKUP)
    copy.stack.up()


async def compare(copy: Site, seed: int, acked: Mapping[int, str | None]) -> list[str]:
    """What is missing or too much in the copy of what had been acknowledged before the backup."""
    town = Town(f"compose-{seed}")
    conn = await asyncpg.connect(copy.database, timeout=10, command_timeout=60)
    try:
        async with asyncio.timeout(CURRENT_SECONDS):
            while behind := await conn.fetchval(BEHIND):
                await asyncio.sleep(0.5)
        wrong = {"behind": behind, "histories with gaps": await queries.gaps(conn)}
        known = {number: there for number, there in acked.items() if there}
        found = await queries.find_requests(conn, [town.name(number) for number in known])
        wrong["acknowledged and not in it, or as another"] = sum(
            str(there) != was for there, was in zip(found, known.values(), strict=True)
        )
        for what, query in queries.DOUBLED.items():
            wrong[what] = await conn.fetchval(query)
    finally:
        await conn.close(timeout=10)
    return [f"in the copy: {count} {what}" for what, count in wrong.items() if count]


def lose_kafka(site: Site) -> None:
    """Kafka's volume goes with all that is in it, and the runbook brings it back."""
    stack = site.stack
    container = stack.containers("kafka")[0]
    run(["docker", "rm", "--force", "--volumes", container])
    run(["docker", "volume", "rm", f"{stack.project}_kafka"])
    stack.compose("up", "--detach", "--wait", "--no-deps", "kafka")
    stack.liaison("replay", "--kafka-lost")
    stack.compose("run", "--rm", "-T", "users")
    stack.compose("run", "--rm", "-T", "topics")


def take_down(site: Site) -> None:
    """Everything of a stack away, its volumes too."""
    site.stack.down("--volumes")
