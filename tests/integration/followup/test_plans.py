"""Each question is led by its index, with thousands of matters that have ended and few that are open."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.followup.store import chart, listing, matters
from services.followup.store.listing import Search
from shared.contracts.vocabulary import MatterState
from shared.kit.db import Connection
from tests.integration.followup.conftest import Followup

# Ended matters in a town of 40 parties and 100 categories; every hundredth is open, every 500th charted.
FILL = """
with town as (
    select number, uuidv7(make_interval(secs => number - 30000)) as id, number % 100 = 0 as open
    from generate_series(1, 30000) as number
), filled as (
    insert into matter (id, version, state, round, category, park, owner_id, visit_state, next_due_at,
                        act_at, breached, body)
    select id, 6, case when open then 'in_progress' else 'closed' end, 1,
           'c' || number % 10 || '/d' || number % 100, 'park' || number % 5, 'L' || number % 40,
           case when open then null else 'done' end,
           case when open then now() + make_interval(mins => number) end,
           case when open then now() + make_interval(mins => number) end, false, '{}'
    from town
), asked as (
    insert into request (matter_id, source, source_ref, channel, kind, requester_kind, requester_id,
                         requester_name, summary, detail, urgency, received_at, attachments, terms)
    select id, 's', number, 'web', 'ask', 'enterprise', 'firm' || number % 300, 'n', 'road ' || number,
           'd', 'normal', now(), '[]',
           array['ro', 'oa', 'ad', 'n' || number % 3000]
    from town
), charted as (
    insert into milestone (id, matter_id, live, title, owner_department, state, due_at,
                           original_due_at, required)
    select uuidv7(), id, open, 't', 'D' || number % 12, case when open then 'planned' else 'done' end,
           now() + make_interval(mins => number), now(), true
    from town where number % 20 = 0
)
insert into listing (name, open, matter_id)
select name, open, id
from town, unnest(array['party:L' || number % 40, 'requester:firm' || number % 300,
                        'category:c' || number % 10]) as name"""


class Explained:
    """Stands in for a connection: explains each statement and gives no rows."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, statement: str, *arguments: object) -> Sequence[Any]:
        # The plan is the one that holds for every argument, as after many calls.
        await self._conn.execute("set plan_cache_mode = force_generic_plan")
        row = await self._conn.fetchval(f"explain (format json) {statement}", *arguments)
        self.plans.append(orjson.loads(row)[0]["Plan"])
        return []

    @property
    def nodes(self) -> list[dict[str, Any]]:
        return [node for plan in self.plans for node in _nodes(plan)]

    def leads_with(self, index: str) -> bool:
        return any(node.get("Index Name") == index for node in self.nodes)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


OPEN = Search(lists=("party:L7",), state=MatterState.IN_PROGRESS)
NOW = datetime.now(UTC)
QUESTIONS = {
    "a party's open matters": (
        "listing_pkey",
        lambda conn: listing.newest_in_list(conn, OPEN, listing.NEWEST, 50),
    ),
    "a party's matters with a word": (
        "listing_pkey",
        lambda conn: listing.newest_in_list(
            conn, Search(lists=("party:L7", "requester:firm7"), words="road"), listing.NEWEST, 50
        ),
    ),
    "a word in all": (
        "request_terms",
        lambda conn: listing.newest_with_words(conn, Search(words="n77"), listing.NEWEST, 50),
    ),
    "a state": (
        "matter_by_state",
        lambda conn: listing.newest_in_state(
            conn, Search(state=MatterState.IN_PROGRESS), listing.NEWEST, 50
        ),
    ),
    "all": (
        "matter_pkey",
        lambda conn: listing.newest_of_all(conn, Search(), listing.NEWEST, 50),
    ),
    "what is due": (
        "matter_promised",
        lambda conn: listing.due_before(conn, Search(), NOW, listing.BEGINNING, 50),
    ),
    "what a party owes": (
        "listing_pkey",
        lambda conn: listing.due_before(conn, OPEN, NOW, listing.BEGINNING, 50),
    ),
    "the sweep": ("matter_due", lambda conn: matters.load_due(conn, NOW, 500)),
    "the wall chart": (
        "milestone_chart",
        lambda conn: chart.load_chart(conn, chart.ChartFilter(), listing.BEGINNING, 100),
    ),
    "a department's chart": (
        "milestone_of_department",
        lambda conn: chart.load_chart(
            conn, chart.ChartFilter(department="D4"), listing.BEGINNING, 100
        ),
    ),
    "what was merged into it": (
        "matter_merged",
        lambda conn: matters.merged_into(conn, UUID(int=1)),
    ),
}


async def test_no_question_reads_a_whole_table(followup: Followup) -> None:
    async with followup.db.transaction() as conn:
        await conn.execute("set local statement_timeout = '60s'")
        await conn.execute(FILL)
    async with followup.db.reading() as conn:
        for table in ("matter", "request", "listing", "milestone"):
            await conn.execute(f"analyze {table}")
        for name, (index, ask) in QUESTIONS.items():
            explained = Explained(conn)
            await ask(explained)
            assert explained.leads_with(index), (name, explained.plans)
            read = {
                node["Relation Name"] for node in explained.nodes if node["Node Type"] == "Seq Scan"
            }
            assert read == set(), (name, explained.plans)


@pytest.mark.parametrize("state", ["closed", "in_progress"])
async def test_the_table_keeps_what_the_rules_promise(followup: Followup, state: str) -> None:
    """A closed matter has an answer, a matter at work an owner, an open one a promise: else nothing is stored."""
    matter_id = await followup.in_progress()
    changes = {
        "closed": "state = 'closed', next_due_at = null",
        "in_progress": "owner_id = null",
    }
    with pytest.raises(Exception, match=r"matter_(closed_is_answered|work_has_owner)"):
        await followup.rows(f"update matter set {changes[state]} where id = $1", matter_id)
    with pytest.raises(Exception, match=r"matter_open_promises"):
        await followup.rows("update matter set next_due_at = null where id = $1", matter_id)
