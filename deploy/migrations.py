"""Brings the three services' schemas up to date; a job: `python -m deploy.migrations`. Holds no SQL."""

import argparse
import asyncio
import os
from pathlib import Path

from shared.kit.migrate import KIT_MIGRATIONS, migrate

SERVICES = ("intake", "routing", "followup")


async def migrate_all(url: str) -> dict[str, list[str]]:
    """Apply what is missing in each schema; what was applied, by schema.

    Raises EditedMigration, or asyncpg errors with nothing of that schema applied.
    """
    return {service: await migrate(url, service, folders_of(service)) for service in SERVICES}


def folders_of(service: str) -> list[Path]:
    """The folders of a service's migrations, the kit's first."""
    return [KIT_MIGRATIONS, Path(__file__).parents[1] / "services" / service / "migrations"]


def main() -> None:
    """Read the database's URL from the command line or the services' own settings, and migrate."""
    parser = argparse.ArgumentParser(prog="python -m deploy.migrations")
    parser.add_argument("--database-url", default=os.environ.get("LIAISON_DATABASE_URL"))
    asked = parser.parse_args()
    if not asked.database_url:
        parser.error("name the database: --database-url or LIAISON_DATABASE_URL")
    asyncio.run(migrate_all(asked.database_url))


if __name__ == "__main__":
    main()
