"""Creates a database role for each service, which owns the service's schema and has access to no other."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final

import asyncpg

from shared.runtime.migrate import Session, lock

ITERATIONS: Final = 4096
"""PostgreSQL's own number of rounds, `scram_iterations`."""

SELECT_ROLE = "select from pg_roles where rolname = $1"
SELECT_DATABASE = "select current_database()"

# What belongs to a table (its indexes, the sequences of its identities) follows it.
SELECT_STRANGE = """
with mine as (select oid from pg_roles where rolname = $2),
     here as (select oid from pg_namespace where nspname = $1)
select format('alter %s %I.%I owner to %I',
              case relkind when 'S' then 'sequence' when 'v' then 'view' when 'c' then 'type'
                           when 'm' then 'materialized view' else 'table' end, $1, relname, $2)
from pg_class
where relnamespace = (select oid from here) and relowner <> (select oid from mine)
  and (relkind in ('r', 'p', 'v', 'm', 'c')
       or relkind = 'S' and not exists (
              select from pg_depend
              where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype in ('a', 'i')))
union all
select format('alter routine %s owner to %I', pg_proc.oid::regprocedure, $2)
from pg_proc
where pronamespace = (select oid from here) and proowner <> (select oid from mine)"""


def role_of(service: str) -> str:
    """Return the name of the service's role. All databases of a server share its roles."""
    return f"liaison_{service}"


async def give_roles(url: str, passwords: Mapping[str, str]) -> None:
    """Create each service's role, set its password, and make it the owner of everything in its schema.

    Idempotent. `url` is the login of a user that may create roles.
    Raises asyncpg errors with nothing of that service changed.
    """
    connection = await asyncpg.connect(url, timeout=10, command_timeout=60)
    try:
        for service, password in passwords.items():
            async with connection.transaction():
                await lock(connection, service)
                await connection.execute("set local lock_timeout = '5s'")
                await _give(connection, service, password)
    finally:
        await connection.close(timeout=5)


async def _give(connection: Session, service: str, password: str) -> None:
    role = role_of(service)
    if not await connection.fetch(SELECT_ROLE, role):
        await connection.execute(f'create role "{role}"')
    # Hashed here: a statement may be logged, and the password is nobody's business.
    await connection.execute(f"""alter role "{role}" login password '{verifier(password)}'""")
    # Only who may become it can give it anything; a superuser could anyway.
    await connection.execute(f'grant "{role}" to current_user')
    database = await connection.fetchval(SELECT_DATABASE)
    await connection.execute(f'revoke connect, temporary on database "{database}" from public')
    await connection.execute(f'grant connect on database "{database}" to "{role}"')
    await connection.execute(f'alter schema "{service}" owner to "{role}"')
    for row in await connection.fetch(SELECT_STRANGE, service, role):
        await connection.execute(row[0])


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return the SCRAM-SHA-256 verifier that PostgreSQL stores in place of the password (RFC 5802, RFC 7677)."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(_signed(salted, b"Client Key")).digest()
    server = _signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_written(salt)}${_written(stored)}:{_written(server)}"


def _signed(key: bytes, what: bytes) -> bytes:
    return hmac.digest(key, what, "sha256")


def _written(value: bytes) -> str:
    return base64.b64encode(value).decode()
