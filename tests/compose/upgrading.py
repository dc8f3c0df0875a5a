"""A release with a migration, brought in while requests flow: the database first, then new replicas beside the old."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.jobs.migrations import SERVICES
from tests.compose.engine import Failed, run
from tests.compose.ground import Site
from tests.compose.pages import type_block

VERSION: Final = "next"
MIGRATION: Final = "alter table matter add column rehearsal text;\n"
PLACE: Final = "/opt/liaison/lib/python3.11/site-packages/services/routing/migrations/0099_next.sql"


def upgrade(site: Site) -> None:
    """Go to the next release as its page says. Raises Failed when something of the old one is left."""
    _build()
    changes = {
        "git pull\n": "",
        "LIAISON_VERSION=2026-12": f"LIAISON_VERSION={VERSION}",
        "docker compose build\n": "",
    }
    type_block(site, "upgrade", 0, changes)
    for service in SERVICES:
        for container in site.stack.containers(service):
            if site.stack.inspect(container)["Config"]["Image"] != f"liaison:{VERSION}":
                raise Failed(f"{service} is still of the old release")


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
