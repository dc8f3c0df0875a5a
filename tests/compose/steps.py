"""The steps of a run that are not faults: build, start, use, scale, copy, take down."""

import asyncio
import os
import ssl
import sys
from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from deploy.common.tokens import digest
from deploy.jobs.migrations import SERVICES
from tests.compose import access
from tests.compose.engine import Failed, Stack, run
from tests.compose.ground import Site
from tests.compose.pages import blocks, type_block
from tests.faults import queries
from tests.faults.town import Town
from tests.support import logs

PLAY_SECONDS = 300.0
CURRENT_SECONDS = 120.0
CERTIFICATE = "kafka_certificate"
# The dashboard has its own afterwards, since what its file says counts at its first start; by its authority other
# systems know Kafka, whichever certificate it shows.
KEPT = {"grafana_admin", "kafka_authority", "kafka_authority_key"}
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
    """Start all of it as the first page says, and let everybody come in."""
    # The rehearsal's own settings come by its environment.
    type_block(site, "install", 0, {"cp .env.example .env": ": .env.example"})
    type_block(site, "install", 1)
    site.fetch_authority()
    site.put_tokens()


def play(site: Site) -> str:
    """The sample town and its day, by public calls from outside."""
    endpoints = site.write_endpoints()
    env = os.environ | {"LANG": "en_US.UTF-8", "LC_ALL": "C.UTF-8"}
    said = ""
    for what in ("load", "play"):
        command = [sys.executable, "-m", "deploy.sample_town", what, "--endpoints", str(endpoints)]
        said = run(command, seconds=PLAY_SECONDS, env=env).strip()
    return said.splitlines()[-1]


def read_logs(site: Site) -> str:
    """Raises Failed when the log of a container has a name or a number of somebody of the sample town."""
    people = logs.people()
    told = {
        service: site.stack.compose("logs", "--no-color", "--no-log-prefix", service)
        for service in (*SERVICES, "reconcile", "postgres", "kafka", "gateway")
    }
    named = {service: logs.named_in(text, people) for service, text in told.items()}
    if any(named.values()):
        raise Failed(f"a log names people of the town: {named}")
    return f"({sum(map(len, told.values())) // 1000} kB, {len(people)} names and numbers)"


def scale(site: Site) -> None:
    """Three replicas of routing, all healthy."""
    type_block(site, "upgrade", 1)
    if len(site.stack.containers("routing")) != 3:
        raise Failed("there are not three of routing")


def look_for_trouble(site: Site) -> str:
    """What is asked first when something breaks, then what each alert's section says, with nothing broken."""
    numbers = [number for page, number in blocks() if page == "trouble"]
    for number in numbers:
        type_block(site, "trouble", number)
    type_block(site, "kafka", 0)
    type_block(site, "kafka", 1)
    # A restart does not wait, and what is typed next would find it away.
    site.stack.up("--no-recreate")
    type_block(site, "database", 0)
    return f"({len(numbers) + 3} blocks of commands)"


def renew(site: Site) -> None:
    """New passwords for everybody, and Kafka's certificate.

    Raises Failed when an old one still opens anything, or a token cannot be revoked.
    """
    folder = site.folder / "secrets"
    old = {file.name: file.read_text() for file in folder.iterdir() if file.name not in KEPT}
    for number in range(5):
        type_block(site, "secrets", number)
    if same := [name for name, was in old.items() if (folder / name).read_text() == was]:
        raise Failed(f"not renewed: {', '.join(same)}")
    shown = ssl.get_server_certificate(("127.0.0.1", site.ports["outside"]))
    if shown.strip() not in (folder / CERTIFICATE).read_text():
        raise Failed("Kafka still shows its old certificate")
    old.pop(CERTIFICATE)
    access.refused(site, old)
    token = site.stack.liaison("tokens", "add", "operator", "O008").strip()
    type_block(site, "secrets", 5, {"3f9a0c12": digest(token)[:8]})


def back_up(site: Site) -> None:
    """A backup while requests come in."""
    type_block(site, "backup", 0)


def lose_database(site: Site) -> None:
    """Both servers' volumes go, and the backup is put in their place."""
    project = site.stack.project
    volumes = {"liaison_postgres liaison_kafka": f"{project}_postgres {project}_kafka"}
    type_block(site, "database", 1, volumes)
    # The last one; the upgrade took one before.
    backup = max((site.folder / "backups").glob("liaison-*.zip"))
    type_block(site, "backup", 1, {"liaison-….zip": backup.name})


async def compare(site: Site, seed: int, acked: Mapping[int, str | None]) -> list[str]:
    """What is missing or too much, after the restore, of what had been acknowledged before the backup."""
    town = Town(f"compose-{seed}")
    conn = await asyncpg.connect(site.database, timeout=10, command_timeout=60)
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
    return [f"after the restore: {count} {what}" for what, count in wrong.items() if count]


def audit(site: Site) -> str:
    """Raises Failed when an event or a seal is not what was recorded; what the command says."""
    return site.stack.liaison("audit", "verify").strip().splitlines()[-1]


def lose_kafka(site: Site) -> None:
    """Kafka's volume goes with all that is in it, and the page brings it back."""
    stack = site.stack
    # Whoever watches the disks has it in hand too.
    holders = stack.containers("kafka") + stack.containers("disks")
    run(["docker", "rm", "--force", "--volumes", *holders])
    run(["docker", "volume", "rm", f"{stack.project}_kafka"])
    type_block(site, "kafka", 3)


def take_down(site: Site) -> None:
    """Everything of a stack away, its volumes too."""
    site.stack.down("--volumes")
