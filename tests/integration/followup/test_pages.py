"""Pages that are not full miss nothing, whatever leads; words that came lately are found."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import pytest

from services.followup.handlers import sweep
from services.followup.store import (
    finding,
)
from services.followup.store.finding import Search
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection
from tests.integration.followup.conftest import Followup


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
        await sweep.merge_pending_terms(conn)
        assert await conn.fetchval("select gin_clean_pending_list('request_terms')") == 0
        found = await finding.newest_with_words(conn, Search(words="道路"), finding.NEWEST, 50)
    assert len(found.found) == 1
