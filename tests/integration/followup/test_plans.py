"""Each question is led by its index and reads a bounded number of rows, however many matters have ended."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from services.followup.handlers import sweep
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
from shared.kit.db import Connection
from tests.integration.followup.conftest import Followup
from tests.plans import Plan, plan_of

# Ended matters in a town of 40 parties and 100 categories; every hundredth is open, every 500th charted.
FILL = """
with town as (
    select number, uuidv7(make_interval(mins => (number - 30000) * 30)) as id, number % 100 = 0 as open
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
    select id, 's', number, 'web', 'ask', 'enterprise', 'firm' || number % 300, 'n',
           'road ' || number || case when number % 3000 = 1 then ' xy' else '' end,
           'd', 'normal', now(), '[]',
           array(select lpad(to_hex(extract(epoch from uuid_extract_timestamp(id))::bigint / 604800), 4, '0') || term
                 from unnest(array['ro', 'oa', 'ad'] || case when number % 3000 = 1 then array['xy'] end) as term)
    from town
), told as (
    insert into event (id, subject, version, type, topic, at, data)
    select uuidv7(), id, version, 'liaison.matter.taken.v1', 'liaison.matters', now(), '{}'
    from town cross join generate_series(1, 2) as version
), charted as (
    insert into milestone (id, matter_id, live, title, owner_department, state, due_at,
                           original_due_at, required)
    select uuidv7(), id, open, 't', 'D' || number % 12, case when open then 'planned' else 'done' end,
           now() + make_interval(mins => number), now(), true
    from town cross join generate_series(1, 10) where number % 100 = 0 or number % 2000 = 1
)
insert into listing (name, open, matter_id)
select name, open, id
from town, unnest(array['party:L' || number % 40, 'requester:firm' || number % 300,
                        'category:c' || number % 10]) as name"""


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


@pytest.fixture
async def full(followup: Followup) -> Followup:
    async with followup.db.transaction() as conn:
        await conn.execute("set local statement_timeout = '60s'")
        await conn.execute("set local synchronous_commit = on")
        await conn.execute(FILL)
    async with followup.db.reading() as conn:
        # Until a commit, and those beside it, are on disk, a vacuum cannot mark what it wrote as seen by all, and no
        # index answers alone.
        await conn.execute("set synchronous_commit = on")
        await conn.execute("vacuum analyze matter, request, listing, milestone, event")
    return followup


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


async def every_page(ask: Callable[[UUID], Awaitable[finding.Ids]]) -> tuple[list[UUID], int]:
    found: list[UUID] = []
    before, pages = finding.NEWEST, 0
    while True:
        page = await ask(before)
        assert len(page.found) <= 50
        found += page.found
        pages += 1
        if page.further is None:
            return found, pages
        assert page.further < before
        before = page.further


async def test_pages_that_are_not_full_miss_nothing(full: Followup) -> None:
    """What fits is found whole and once, whatever leads, and however little of what is looked at fits."""
    cases = (
        (Search(lists=("category:c1",), owner="L31"), "owner_id = 'L31'", "category:c1"),
        (Search(lists=("category:c1",), words="xy"), "summary ~ 'xy'", "category:c1"),
        (Search(lists=("party:L7",), words="road"), "summary ~ 'road'", "party:L7"),
        (Search(lists=("party:L7", "category:c7"), words="road 7"), "summary ~ '7'", "party:L7"),
    )
    async with full.db.reading() as conn:
        for search, condition, name in cases:
            rows = await conn.fetch(
                "select matter_id as id from listing join matter on id = matter_id join request using (matter_id)"
                f" where name = $1 and {condition} order by id desc",
                name,
            )
            found, pages = await every_page(partial(_in_list, conn, search))
            assert found == [row["id"] for row in rows], search
            assert pages <= 2 + len(found) // 50 + 3000 // finding.MOST_LOOKED_AT


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        pytest.param("road", "summary ~ 'road'", id="frequent"),
        pytest.param("road 7", "summary ~ '7'", id="in some weeks more than in others"),
        pytest.param("xy", "summary ~ 'xy'", id="rare"),
    ],
)
@pytest.mark.parametrize("state", [None, MatterState.IN_PROGRESS])
async def test_pages_of_words_miss_nothing(
    full: Followup, words: str, condition: str, state: MatterState | None
) -> None:
    """Whether the newest are walked through or the words of each week are gathered."""
    search = Search(words=words, state=state)
    async with full.db.reading() as conn:
        rows = await conn.fetch(
            f"select id from matter join request on id = matter_id where {condition}"
            " and ($1::text is null or state = $1) order by id desc",
            state.value if state else None,
        )
        found, pages = await every_page(partial(_with_words, conn, search))
    assert found == [row["id"] for row in rows]
    assert pages <= 2 + 30_000 // (finding.LISTED_BEFORE_WORDS if state else 50)


async def _with_words(conn: Connection, search: Search, before: UUID) -> finding.Ids:
    return await finding.newest_with_words(conn, search, before, 50)


async def _in_list(conn: Connection, search: Search, before: UUID) -> finding.Ids:
    return await finding.newest_in_list(conn, search, before, 50)


async def test_words_taken_in_lately_are_settled(followup: Followup) -> None:
    """Nothing is left pending for the index of terms, which each week's part of a search would read again."""
    await followup.in_progress()
    async with followup.db.reading() as conn:
        await sweep.settle_words(conn)
        assert await conn.fetchval("select gin_clean_pending_list('request_terms')") == 0
        found = await finding.newest_with_words(conn, Search(words="道路"), finding.NEWEST, 50)
    assert len(found.found) == 1


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
