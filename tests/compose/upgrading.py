"""A release with a migration, brought in while requests flow: the database first, then new replicas beside the old."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.migrations import SERVICES
from tests.compose.engine import Failed, Stack, run
from tests.compose.ground import Site

VERSION: Final = "next"
MIGRATION: Final = "alter table matter add column rehearsal text;\n"
PLACE: Final = "/opt/liaison/lib/python3.11/site-packages/services/routing/migrations/0099_next.sql"


def upgrade(site: Site) -> None:
    """Go to the next release, service by service. Raises Failed when something of the old one is left."""
    _build()
    fresh = upgraded(site).stack
    fresh.compose("run", "--rm", "-T", "migrate")
    for service in SERVICES:
        _replace(fresh, service)


def upgraded(site: Site) -> Site:
    """The same place, of the next release: no older one can restore what that has backed up."""
    env = {**site.stack.env, "LIAISON_VERSION": VERSION}
    return replace(site, stack=replace(site.stack, env=env))


def _build() -> None:
    with tempfile.TemporaryDirectory() as folder:
        migration = Path(folder) / "migration.sql"
        migration.write_text(MIGRATION)
        migration.chmod(0o444)
        dockerfile = f"FROM liaison:local\nCOPY migration.sql {PLACE}\n"
        (Path(folder) / "Dockerfile").write_text(dockerfile)
        run(["docker", "build", "--quiet", "--tag", f"liaison:{VERSION}", folder])


def _replace(stack: Stack, service: str) -> None:
    old = stack.containers(service)
    flags = ["--no-deps", "--no-recreate", "--scale", f"{service}={2 * len(old)}"]
    stack.up(*flags, service)
    run(["docker", "stop", "--time", "40", *old])
    run(["docker", "rm", *old])
    for container in stack.containers(service):
        if stack.inspect(container)["Config"]["Image"] != f"liaison:{VERSION}":
            raise Failed(f"{service} is still of the old release")
