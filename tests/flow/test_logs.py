"""The services' logs have matters and faults in them, and nobody's name, number or words."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.embedded.postgres import Postgres
from deploy.sample_town.town import stories
from tests.flow.processes import Stack
from tests.flow.test_to_its_end import settled_at_once
from tests.flow.town import Town
from tests.support import logs

# Whatever is registered next breaks a rule of the table: what PostgreSQL says of it quotes the row.
BREAK = """
alter table followup.request add constraint refuses check (summary not like '%拒收%') not valid"""


def submissions() -> list[dict[str, Any]]:
    """What the sample town asks, sent by the one system that is known here."""
    own = {"source": "https://one-stop.example/web"}
    return [dict(story.submission) | own for story in stories()]


def faulty(submission: dict[str, Any]) -> list[bytes]:
    """The same, in ways that cannot be taken: cut off, of a wrong kind, in conflict with the first."""
    whole = json.dumps(submission, ensure_ascii=False).encode()
    wrong = json.dumps(submission | {"kind": submission["summary"]}, ensure_ascii=False).encode()
    other = json.dumps(submission | {"detail": "拒收"}, ensure_ascii=False).encode()
    return [whole[:-20], wrong, other]


@pytest.mark.timeout(200)
async def test_a_day_of_the_sample_town_names_nobody(
    town: Town, stack: Stack, tmp_path: Path, postgres_server: Postgres
) -> None:
    before = postgres_server.log.stat().st_size
    asked = submissions()
    taken = await asyncio.gather(*(town.post(each) for each in asked))
    assert {answer.status_code for answer in taken} == {202}
    for value in faulty(asked[0]):
        await town.send(value)
    await town.post(asked[0] | {"kind": asked[0]["summary"]})
    matter = (await town.post(town.submission())).json()["request_id"]
    await settled_at_once(town, matter)
    await broken(town, stack, asked[0])
    text = {name: (tmp_path / f"{name}.log").read_text() for name in stack.processes}
    assert all("consumer.started" in each for each in text.values())
    assert "event.failed" in text["followup"]
    text["postgres"] = postgres_server.log.read_bytes()[before:].decode()
    assert "refuses" in text["postgres"]
    people = logs.people() | {each["summary"] for each in asked} | {"拒收"}
    named = {name: logs.named_in(each, people) for name, each in text.items()}
    assert not any(named.values()), named


async def broken(town: Town, stack: Stack, like: dict[str, Any]) -> None:
    """A request that followup's table refuses, which is set aside with its reason."""
    conn = await asyncpg.connect(stack.processes["followup"].environment["LIAISON_DATABASE_URL"])
    try:
        await conn.execute(BREAK)
        refused = like | {"source_ref": "refused", "summary": f"拒收 {like['requester']['name']}"}
        assert (await town.post(refused)).status_code == 202
        await town.until(
            lambda: conn.fetchval(
                "select count(*) from followup.dead_letter where fate = 'failed'"
            ),
            lambda count: count,
        )
    finally:
        await conn.close()
