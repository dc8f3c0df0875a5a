"""Every SQL constant is a statement that PostgreSQL can prepare on the migrated schema it is meant for."""

import importlib
import pkgutil
import re
from types import ModuleType

import asyncpg
import pytest

import shared.audit
import shared.delivery
import shared.http
import shared.runtime

SERVICES = ("intake", "routing", "followup", "desk")
STATEMENT = re.compile(r"^\s*(select|insert|update|delete|with|merge)\b", re.IGNORECASE)


def modules_of(package: ModuleType) -> list[ModuleType]:
    paths = getattr(package, "__path__", None)
    if paths is None:
        return [package]
    names = [found.name for found in pkgutil.walk_packages(paths, f"{package.__name__}.")]
    return [package, *map(importlib.import_module, names)]


def statements_of(package: ModuleType) -> dict[str, str]:
    """The statements of a package by name: upper-case texts that begin as SQL does."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules_of(package)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and STATEMENT.match(value)
    }


def shared_statements() -> dict[str, str]:
    """Those for tables that each service has; `shared.audit.rows` is for tables that a service names."""
    packages = (shared.audit, shared.delivery, shared.http, shared.runtime)
    found = {name: text for package in packages for name, text in statements_of(package).items()}
    return {name: text for name, text in found.items() if "{table}" not in text}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("where", ["store", "shared"])
async def test_every_statement_can_be_prepared(database_url: str, service: str, where: str):
    store = importlib.import_module(f"services.{service}.store")
    found = statements_of(store) if where == "store" else shared_statements()
    assert len(found) > 5
    connection = await asyncpg.connect(database_url, server_settings={"search_path": service})
    faults = {}
    try:
        for name, statement in found.items():
            try:
                await connection.prepare(statement)
            except asyncpg.PostgresError as fault:
                faults[name] = str(fault)
    finally:
        await connection.close()
    assert faults == {}
