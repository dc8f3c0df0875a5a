"""`liaison audit verify` and the ways in which an operator uses it, on a database with three histories."""

import json
from pathlib import Path

import asyncpg
import pytest

from deploy.common.trouble import Trouble
from deploy.jobs.migrations import SERVICES
from deploy.jobs.roles import give_roles, role_of
from deploy.operations.audit import read_anchors, verified, write_anchor
from shared.audit.hash_chain import Sealer
from shared.runtime.database import open_database
from tests.integration.deploy.backups import (
    Session,
    contents,
    fill,
    liaison,
    put_back,
    said_by,
    taken,
)

pytestmark = pytest.mark.timeout(180)

SEALED = 261
"""What `fill` leaves of each service's 300 events."""


async def seal(url: str, most: int = 100) -> None:
    for service in SERVICES:
        db = await open_database(url, service)
        sealer = Sealer(db, most, rest_seconds=0)
        while await sealer.step():
            pass
        await db.close()


@pytest.fixture
async def sealed_url(database_url: str) -> str:
    await fill(database_url)
    await seal(database_url)
    return database_url


async def changed(url: str, *statements: str) -> None:
    """Do what the triggers would refuse, as whoever owns the tables can."""
    async with Session(url) as conn:
        await conn.execute("set session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement)


async def verify(url: str, *arguments: str) -> tuple[int, str]:
    return await said_by(liaison("audit", "verify", *arguments, env={"LIAISON_DATABASE_URL": url}))


async def test_three_histories_are_right(sealed_url: str):
    code, said = await verify(sealed_url)
    assert code == 0, said
    for service in SERVICES:
        assert f"✓ {service}: {SEALED} events under 3 seals" in said


async def test_one_that_is_not_is_named_beside_those_that_are(sealed_url: str):
    await changed(sealed_url, "update routing.event set data = '{}' where seq = 155")
    code, said = await verify(sealed_url)
    assert code == 1, said
    assert "✗ routing: event 155 under seal 2" in said
    assert "Unaltered before it: 100 events under 1 seals" in said
    assert "✓ intake" in said
    assert "✓ followup" in said
    code, said = await verify(sealed_url, "--service", "intake", "--service", "followup")
    assert code == 0, said
    assert "routing" not in said


async def test_what_has_no_seal_yet_is_counted(sealed_url: str):
    async with Session(sealed_url) as conn:
        await conn.execute(
            """insert into intake.event (id, subject, version, type, topic, at, data)
               values (uuidv7(), 'new', 1, 'type', 'topic', now(), '{}')"""
        )
    code, said = await verify(sealed_url)
    assert code == 0
    assert "1 not sealed yet" in said


async def test_a_file_kept_elsewhere_finds_who_rewrote_it_all(sealed_url: str, tmp_path: Path):
    kept = tmp_path / "anchor.json"
    code, said = await verify(sealed_url, "--anchor", str(kept))
    assert code == 0, said
    assert set(json.loads(kept.read_text())["seals"]) == set(SERVICES)
    assert kept.stat().st_mode & 0o077 == 0
    assert (await verify(sealed_url, "--against", str(kept)))[0] == 0
    await changed(
        sealed_url,
        "update followup.event set data = '{}' where seq = 1",
        "delete from followup.seal",
    )
    await seal(sealed_url)
    assert (await verify(sealed_url))[0] == 0, "it agrees with itself"
    fresh = tmp_path / "fresh.json"
    code, said = await verify(sealed_url, "--against", str(kept), "--anchor", str(fresh))
    assert code == 1
    assert "✗ followup: seal 3 is not the one in the file" in said
    assert not fresh.exists(), "what is not right is not kept as right"


async def test_histories_that_were_sealed_are_right_after_a_restore(
    sealed_url: str, bare_database_url: str, tmp_path: Path
):
    kept = tmp_path / "anchor.json"
    write_anchor(kept, await verified(sealed_url, SERVICES, {}, quiet))
    file, _ = await taken(sealed_url, tmp_path)
    await put_back(bare_database_url, file)
    assert await contents(bare_database_url) == await contents(sealed_url)
    verdicts = await verified(bare_database_url, SERVICES, read_anchors(kept), quiet)
    assert {name: (v.altered, v.events, v.unsealed) for name, v in verdicts.items()} == {
        name: (None, SEALED, 0) for name in SERVICES
    }
    with pytest.raises(asyncpg.RestrictViolationError):
        async with Session(bare_database_url) as conn:
            await conn.execute("delete from intake.event")
    await changed(bare_database_url, "delete from intake.event where seq = 100 or seq = 99")
    verdicts = await verified(bare_database_url, ["intake"], {}, quiet)
    assert verdicts["intake"].altered is not None


def quiet(_: object) -> None: ...


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "seals": []}'])
def test_a_file_that_is_none_is_said(tmp_path: Path, content: str):
    file = tmp_path / "anchor.json"
    file.write_text(content)
    with pytest.raises(Trouble, match=r"anchor\.unreadable"):
        read_anchors(file)


async def test_an_empty_database_is_said(bare_database_url: str):
    code, said = await verify(bare_database_url)
    assert code == 1
    assert "has no Liaison data" in said


async def test_a_services_role_seals_and_cannot_change_what_happened(sealed_url: str):
    passwords = {service: f"the password of {service}" for service in SERVICES}
    await give_roles(sealed_url, passwords)
    _, _, place = sealed_url.partition("@")
    try:
        for service in SERVICES:
            url = f"postgresql://{role_of(service)}:the%20password%20of%20{service}@{place}"
            db = await open_database(url, service)
            async with db.transaction() as conn:
                await conn.execute(
                    """insert into event (id, subject, version, type, topic, at, data)
                       values (uuidv7(), 'new', 1, 'type', 'topic', now(), '{}')"""
                )
            await Sealer(db).step()
            async with db.reading() as conn:
                assert await conn.fetchval("select max(last_seq) from seal") == 301
                for refused in ("delete from event", "truncate event", "update seal set count = 0"):
                    with pytest.raises(asyncpg.RestrictViolationError):
                        await conn.execute(refused)
            await db.close()
    finally:
        async with Session(sealed_url) as conn:
            for service in SERVICES:
                await conn.execute(f"drop owned by {role_of(service)} cascade")
                await conn.execute(f"drop role {role_of(service)}")
