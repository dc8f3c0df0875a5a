"""Searches and filters find what was meant, however it was written, also what came before there was folding."""

from dataclasses import replace

import pytest

from services.followup.handlers import sweep
from shared.contracts.events.assignments import OfferMade
from shared.contracts.fields import uscc
from shared.delivery.cloudevents import Message
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import new_matter, offered, registered

FIRM = "91310117MA1J00003" + uscc.check_character("91310117MA1J00003")
SPELLINGS = ("5号门LED屏不亮", "５号门ＬＥＤ屏不亮", "5号门 led 屏不亮", "5号门\u200bLed屏不亮")

# As rows were stored before: the terms of the summary in small letters, and nothing folded.
UNFOLD = """
update request set folded = null, terms = array(
    select lpad(to_hex(('x' || left(replace(matter_id::text, '-', ''), 12))::bit(48)::bigint / 604800000), 4, '0')
           || substr(lower(summary), place, 2)
    from generate_series(1, length(summary) - 1) as place)"""


async def found(api: Api, **filters: str) -> set[str]:
    items, cursor = set(), None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = (await api.get("/matters", limit=2, **filters, **more)).json()
        assert not items & {item["matter_id"] for item in page["items"]}
        items |= {item["matter_id"] for item in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return items


@pytest.fixture
async def spelled(followup: Followup) -> set[str]:
    """A matter of each spelling, and one of another text."""
    matters = [new_matter() for _ in SPELLINGS]
    for matter, summary in zip(matters, SPELLINGS, strict=True):
        assert not await followup.take(registered(matter, summary=summary, firm=FIRM))
    assert not await followup.take(registered(new_matter(), summary="7号门LCD屏不亮"))
    return set(matters)


@pytest.mark.parametrize(
    "words", ["5号门LED屏", "５号门ＬＥＤ屏", "led屏", "5号门 ＬＥＤ", "LED\u200b屏不亮"]
)
async def test_case_42_each_search_finds_every_spelling(
    spelled: set[str], api: Api, words: str
) -> None:
    assert await found(api, q=words) == spelled
    assert await found(api, q=words, uscc=FIRM) == spelled
    assert await found(api, q=words, due_before="2030-01-01T00:00:00Z") == spelled


async def test_case_42_what_came_before_folding_is_found_too(
    spelled: set[str], followup: Followup, api: Api
) -> None:
    async with followup.db.transaction() as conn:
        await conn.execute(UNFOLD)
    # Until it is folded it is found by how it was written.
    assert len(await found(api, q="5号门LED屏")) >= 1
    async with followup.db.transaction() as conn:
        assert not await sweep.fold_words(conn)
    for words in SPELLINGS:
        assert await found(api, q=words) == spelled


async def test_case_41_a_filter_by_a_code_finds_the_firm_however_it_is_written(
    spelled: set[str], api: Api
) -> None:
    everything = await found(api, uscc=FIRM)
    assert everything == spelled
    wide = "".join(chr(ord(each) + 0xFEE0) for each in FIRM)
    for code in (FIRM.lower(), f"{FIRM[:8]} {FIRM[8:]}", wide, f"{FIRM[:8]}-{FIRM[8:]}"):
        assert await found(api, uscc=code) == everything


async def test_a_category_and_a_party_are_found_however_they_are_written(
    followup: Followup, api: Api
) -> None:
    matters = [new_matter() for _ in range(5)]
    names = ("基础设施/LED屏", "基础设施/ＬＥＤ屏", "基础设施 / led屏", "基础设施/LED屏", "别的")
    parks = ("A园", "Ａ园", "a 园", "A园", "B园")
    for matter, category, park in zip(matters, names, parks, strict=True):
        assert not await followup.take(registered(matter), _placed(matter, category, park))
    same, until = set(matters[:4]), "2030-01-01T00:00:00Z"
    for category in (*names[:4], "基础设施／led 屏"):
        assert await found(api, category=category) == same
        assert await found(api, category=category, due_before=until) == same
        assert await found(api, category=category, park="ａ园", owner="Ｄ001") == set()
    for park in parks[:4]:
        assert await found(api, park=park) == same
        assert await found(api, park=park, category="基础设施", due_before=until) == same
    assert await found(api, park="C园") == set()
    everything = await found(api, department="D-ROAD")
    assert everything == await found(api, department=" Ｄ-ＲＯＡＤ") == set(matters)


def _placed(matter: str, category: str, park: str) -> Message:
    made = offered(matter)
    assert isinstance(made.event, OfferMade)
    dispatch = made.event.dispatch.model_copy(update={"category": category, "park": park})
    return replace(made, event=made.event.model_copy(update={"dispatch": dispatch}))
