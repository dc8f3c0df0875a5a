"""Each service's database role owns its own schema and can touch no other; a service works as it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.jobs.migrations import SERVICES, migrate_all
from deploy.jobs.passwords import WeakPassword, password_in
from deploy.jobs.roles import give_roles, role_of, verifier
from shared.runtime.migrate import migrate

PASSWORDS = {service: f"the password of {service}" for service in SERVICES}


def as_service(url: str, service: str, password: str | None = None) -> str:
    """The URL of the same database as a service comes in."""
    _, _, place = url.partition("@")
    secret = (password or PASSWORDS[service]).replace(" ", "%20")
    return f"postgresql://{role_of(service)}:{secret}@{place}"


@pytest.fixture
async def roles_url(bare_database_url: str) -> AsyncIterator[str]:
    await migrate_all(bare_database_url)
    await give_roles(bare_database_url, PASSWORDS)
    yield bare_database_url
    # Roles are one for all databases of a server: the next test begins without them.
    conn = await asyncpg.connect(bare_database_url)
    for service in SERVICES:
        await conn.execute(f"drop owned by {role_of(service)} cascade")
        await conn.execute(f"drop role {role_of(service)}")
    await conn.close()


async def test_a_service_owns_all_of_its_schema_and_nothing_else(roles_url: str):
    for service in SERVICES:
        conn = await asyncpg.connect(as_service(roles_url, service))
        await conn.execute(f"set search_path = {service}")
        assert await conn.fetchval("select count(*) from event") == 0
        await conn.execute("insert into outbox (seq) values (1)")
        strange = """
            select relname from pg_class
            where relnamespace = $1::regnamespace and relowner <> current_role::regrole
              and relkind <> 't'"""
        assert await conn.fetch(strange, service) == []
        for other in set(SERVICES) - {service}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(f"select from {other}.event")
        for forbidden in ("create schema mine", "create table public.mine (id int)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(forbidden)
        await conn.close()


async def test_what_a_later_release_makes_becomes_the_services(roles_url: str, tmp_path: Path):
    folder = tmp_path / "routing" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0099_later.sql").write_text(
        "create table later (id bigint generated always as identity primary key);"
        "create sequence counting; create view seen_later as select id from later;"
        "create function one() returns int language sql immutable as 'select 1';"
    )
    await migrate(roles_url, "routing", [folder])
    await give_roles(roles_url, PASSWORDS)
    conn = await asyncpg.connect(as_service(roles_url, "routing"))
    await conn.execute("set search_path = routing")
    await conn.execute("insert into later default values")
    assert await conn.fetchval("select nextval('counting') + one()") == 2
    assert await conn.fetchval("select count(*) from seen_later") == 1
    await conn.execute("drop view seen_later; drop table later; drop function one()")
    await conn.close()


async def test_a_new_password_counts_at_once_and_the_old_no_more(roles_url: str):
    await give_roles(roles_url, {"intake": "another password"})
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(as_service(roles_url, "intake"))
    conn = await asyncpg.connect(as_service(roles_url, "intake", "another password"))
    await conn.close()


async def test_nobody_else_may_connect(roles_url: str):
    conn = await asyncpg.connect(roles_url)
    await conn.execute("create role passerby login password 'of a passer-by'")
    _, _, place = roles_url.partition("@")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"postgresql://passerby:of%20a%20passer-by@{place}")
    finally:
        await conn.execute("drop role passerby")
        await conn.close()


def test_the_verifier_is_the_one_of_the_standard() -> None:
    """RFC 7677, section 3: its salt, its password, and the keys that its exchange was made with."""
    salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize(("written", "why"), [("short", "16"), ("密码" * 9, "ASCII")])
def test_a_weak_password_is_named(tmp_path: Path, written: str, why: str) -> None:
    file = tmp_path / "database_intake"
    file.write_text(written)
    with pytest.raises(WeakPassword, match=f"database_intake.*{why}"):
        password_in(file)
