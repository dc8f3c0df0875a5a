"""Migrates the schemas of the services; a job: `python -m deploy.jobs.migrations`."""

import argparse
import asyncio
from pathlib import Path

from deploy.jobs.passwords import WeakPassword, passwords_in
from deploy.jobs.roles import give_roles
from shared.runtime.migrate import DELIVERY_MIGRATIONS, migrate
from shared.service.settings import ServerSettings, read_settings

SERVICES = ("intake", "routing", "followup", "desk")
FIRST_SERVICES = ("intake", "routing", "followup")
"""The schemas that a database of any version has; those that came later are made by the migrations."""


async def migrate_all(url: str) -> dict[str, list[str]]:
    """Apply the missing migrations of each schema; return the applied names by schema.

    Raises EditedMigration, or asyncpg errors with nothing of that schema applied.
    """
    return {service: await migrate(url, service, folders_of(service)) for service in SERVICES}


def folders_of(service: str) -> list[Path]:
    """Return the folders of a service's migrations, the shared ones first."""
    return [DELIVERY_MIGRATIONS, Path(__file__).parents[2] / "services" / service / "migrations"]


def main() -> None:
    """Read the database's URL from the settings, migrate, and create roles if requested."""
    parser = argparse.ArgumentParser(prog="python -m deploy.jobs.migrations")
    parser.add_argument(
        "--roles",
        type=Path,
        metavar="FOLDER",
        help="give each service a role of its own, with the password in FOLDER/database_<service>",
    )
    asked = parser.parse_args()
    url = read_settings(ServerSettings).database
    if not url:
        parser.error("name the database: LIAISON_DATABASE_URL")
    try:
        passwords = passwords_in(asked.roles, "database", SERVICES) if asked.roles else {}
    except (WeakPassword, OSError) as fault:
        parser.error(str(fault))
    asyncio.run(migrate_all(url))
    asyncio.run(give_roles(url, passwords))


if __name__ == "__main__":
    main()
