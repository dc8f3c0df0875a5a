"""Each question is led by its index and reads a bounded number of rows, however many matters have ended."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.followup.store import (
    chart,
    figures,
    finding,
    glance,
    history,
    matters,
    promised,
)
from services.followup.store.finding import Search
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection
from tests.integration.followup.conftest import Followup
from tests.support.plans import Plan, plan_of


class Explained:
    """Stands in for a connection: each statement is explained, and then done."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.plans: list[Plan] = []

    async def fetch(self, statement: str, *arguments: object) -> Sequence[Any]:
        self.plans.append(await plan_of(self._conn, statement, *arguments))
        return await self._conn.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: object) -> Any:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *arguments: object) -> Any:
        row = await self.fetchrow(statement, *arguments)
        return row and row[0]


OPEN = Search(lists=("party:L20",), state=MatterState.IN_PROGRESS)
BOTH = ("party:L20", "category:c0")
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=365)
BEGINNING = promised.BEGINNING
QUESTIONS: dict[str, tuple[str, Callable[[Any], Awaitable[Any]]]] = {
    "a party's open matters": (
        "listing_pkey",
        lambda conn: finding.newest_in_list(conn, OPEN, finding.NEWEST, 50),
    ),
    "a party's ended matters of a state that is rare": (
        "listing_pkey",
        lambda conn: finding.newest_in_list(
            conn, Search(lists=("category:c1",), state=MatterState.WITHDRAWN), finding.NEWEST, 50
        ),
    ),
    "a party's matters with a word": (
        "listing_pkey",
        lambda conn: finding.newest_in_list(
            conn, Search(lists=BOTH, words="road"), finding.NEWEST, 50
        ),
    ),
    "a category's matters with a word that is rare": (
        "request_terms",
        lambda conn: finding.newest_in_list(
            conn, Search(lists=("category:c1",), words="xy"), finding.NEWEST, 50
        ),
    ),
    "a word in all that is frequent": (
        "request_pkey",
        lambda conn: finding.newest_with_words(conn, Search(words="road"), finding.NEWEST, 50),
    ),
    "a word in all that is rare": (
        "request_terms",
        lambda conn: finding.newest_with_words(conn, Search(words="xy"), finding.NEWEST, 50),
    ),
    "words in all of which one is rare": (
        "request_terms",
        lambda conn: finding.newest_with_words(conn, Search(words="road xy"), finding.NEWEST, 50),
    ),
    "a state": (
        "matter_by_state",
        lambda conn: finding.newest_in_state(conn, MatterState.IN_PROGRESS, finding.NEWEST, 50),
    ),
    "what is closed": (
        "matter_by_state",
        lambda conn: finding.newest_in_state(conn, MatterState.CLOSED, finding.NEWEST, 50),
    ),
    "all": ("matter_pkey", lambda conn: finding.newest_of_all(conn, finding.NEWEST, 50)),
    "what is due": (
        "matter_promised",
        lambda conn: promised.due_before(conn, Search(), LATER, BEGINNING, 50),
    ),
    "what is due and has a word": (
        "matter_promised",
        lambda conn: promised.due_before(conn, Search(words="nowhere"), LATER, BEGINNING, 50),
    ),
    "what a party owes": (
        "matter_open",
        lambda conn: promised.due_before(conn, OPEN, LATER, BEGINNING, 50),
    ),
    "the sweep": ("matter_due", lambda conn: matters.load_due(conn, NOW, 500)),
    "the wall chart": (
        "milestone_chart",
        lambda conn: chart.load_chart(conn, chart.ChartFilter(), BEGINNING, 100),
    ),
    "a department's chart": (
        "milestone_of_department",
        lambda conn: chart.load_chart(conn, chart.ChartFilter(department="D4"), BEGINNING, 100),
    ),
    "a party's chart": (
        "milestone_of_matter",
        lambda conn: chart.load_chart(conn, chart.ChartFilter(lists=BOTH), BEGINNING, 100),
    ),
    "how many stand where": ("matter_by_state", glance.count_states),
    "what was merged into it": (
        "matter_merged",
        lambda conn: matters.merged_into(conn, UUID(int=1)),
    ),
    "its history": (
        "event_subject_version",
        lambda conn: history.load_history(conn, UUID(int=1), 0, 200),
    ),
    "the last offers": (
        "event_subject_version",
        lambda conn: glance.last_offers(conn, [str(UUID(int=1))]),
    ),
}
MOST_READ = 20_000
"""Rows that a question reads at most: each that is looked at, with its matter, its request and its lists."""


async def test_no_question_reads_a_whole_table(full: Followup) -> None:
    async with full.db.reading() as conn:
        for name, (index, ask) in QUESTIONS.items():
            explained = Explained(conn)
            await ask(explained)
            assert any(index in plan.indexes for plan in explained.plans), (name, explained.plans)
            assert not any(plan.read_whole for plan in explained.plans), (name, explained.plans)
            if name != "how many stand where":
                read = sum(plan.rows_read for plan in explained.plans)
                assert read < MOST_READ, (name, read)


async def test_what_one_party_has_in_hand_is_read_off_indexes(full: Followup) -> None:
    """The rows of its open matters lie anywhere among all that has ended: only those of the page are read."""
    async with full.db.reading() as conn:
        for name, whole in (("what a party owes", 0), ("a party's chart", 3 * 100)):
            explained = Explained(conn)
            index, ask = QUESTIONS[name]
            await ask(explained)
            plan = explained.plans[-1]
            assert {index, "listing_pkey"} <= plan.read_off, (name, plan)
            assert sum(_rows(plan)) <= whole, (name, plan)


def _rows(plan: Plan) -> Iterator[float]:
    """How many rows each node has read of a table itself."""
    for node in plan.nodes:
        if node["Node Type"] in ("Index Scan", "Bitmap Heap Scan"):
            yield node["Actual Rows"] * node["Actual Loops"]
        elif node["Node Type"] == "Index Only Scan":
            yield node["Heap Fetches"]


async def test_a_sweep_reads_what_is_due_and_nothing_else(full: Followup) -> None:
    """Ten of 300 open ones are due, and 29,700 have ended: ten rows are read, by the index of what is due."""
    (row,) = await full.rows(
        "select max(act_at) as at from (select act_at from matter where act_at is not null"
        " order by act_at limit 10) as first"
    )
    async with full.db.transaction() as conn:
        plan = await plan_of(conn, matters.LOAD_DUE, row["at"], 500)
    assert plan.indexes == {"matter_due"}, plan.root
    assert plan.rows_read == 10, plan.root


async def test_counting_what_is_open_ends_where_it_is_told_to(full: Followup) -> None:
    """Of 29,700 ended matters none is read, and of 3,000 steps on the wall no more than are counted."""
    async with full.db.reading() as conn:
        explained: Any = Explained(conn)
        found = await figures.count_open(explained, NOW, 100)
    assert found.states[MatterState.IN_PROGRESS] == 100
    assert not any(plan.read_whole for plan in explained.plans), explained.plans
    indexes: set[str] = set().union(*(plan.indexes for plan in explained.plans))
    assert indexes >= {"matter_by_state", "matter_promised", "milestone_of_matter", "matter_due"}
    assert sum(plan.rows_read for plan in explained.plans) < 500, explained.plans


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
