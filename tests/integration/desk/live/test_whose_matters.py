"""No page shows a member of staff what the interface refuses: every page, by every role and party."""

import asyncio
import itertools

import pytest
from starlette.routing import Route

from services.desk.pages import documents, sign_in
from services.desk.pages.live.routes import router
from shared.contracts.events.assignments import PartyRef
from shared.contracts.vocabulary import PartyKind
from tests.integration.desk.live.conftest import Site, Told
from tests.integration.followup.conftest import CALLERS, Followup
from tests.integration.followup.samples import accepted, declined, new_matter, offered, registered

PAGES = sorted(
    route.path
    for route in (*router.routes, *documents.router.routes, *sign_in.router.routes)
    if isinstance(route, Route) and "GET" in (route.methods or ()) and "{" not in route.path
)
STREAM = "/live/stream"
OWNERS = {
    "L001": PartyRef(id="L001", kind=PartyKind.LIAISON, name="王店小二"),
    "L002": PartyRef(id="L002", kind=PartyKind.LIAISON, name="李店小二"),
    "D-TAX": PartyRef(id="D-TAX", kind=PartyKind.DEPARTMENT, name="税务所"),
}
numbers = itertools.count(1)


async def matter_of(followup: Followup, owner: str | None, *, declines: bool = False) -> str:
    """A matter whose summary is its own; nobody is offered it where there is no owner."""
    matter_id = new_matter()
    await followup.take(registered(matter_id, summary=f"概述{next(numbers):04}号"))
    if owner is not None:
        party = OWNERS[owner]
        await followup.take(offered(matter_id, party=party))
        answer = declined if declines else accepted
        await followup.take(answer(matter_id, party=party))
    return matter_id


async def summaries(followup: Followup) -> dict[str, str]:
    rows = await followup.rows("select matter_id, summary from request")
    return {str(row["matter_id"]): row["summary"] for row in rows}


def as_(who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {who}"}


async def refused_to(site: Site, who: str, matters: dict[str, str]) -> set[str]:
    """The summaries of the matters that the interface refuses."""
    found = set()
    for matter_id, summary in matters.items():
        answer = await site.get(f"/followup/matters/{matter_id}", headers=as_(who))
        assert answer.status_code in (200, 403, 404)
        if answer.status_code != 200:
            found.add(summary)
    return found


async def shown(site: Site, path: str, who: str) -> str:
    """All that a page says to somebody; of a stream its first message."""
    if path != STREAM:
        return (await site.get(path, headers=as_(who))).text
    async with site.client.stream("GET", path, headers=as_(who)) as answer:
        if answer.status_code != 200:
            return ""
        return str(await Told(answer).snapshot())


def close(site: Site) -> None:
    site.open_to_all(is_open=False)


async def test_case_87_no_page_shows_what_the_interface_refuses(
    site: Site, followup: Followup
) -> None:
    close(site)
    for owner in (*OWNERS, None):
        await matter_of(followup, owner)
        if owner is not None:
            await matter_of(followup, owner, declines=True)
    matters = await summaries(followup)
    for who in CALLERS:
        refused = await refused_to(site, who, matters)
        own = set(matters.values()) - refused
        for path in PAGES:
            text = await shown(site, path, who)
            assert not [each for each in refused if each in text], (path, who)
            if path in ("/", STREAM) and who != "system":
                assert [each for each in own if each not in text] == [], (path, who)


@pytest.mark.parametrize("who", ["L001", "L002", "D-TAX", "C001", "O001"])
async def test_case_87_the_live_page_tells_each_its_own_as_it_changes(
    site: Site, followup: Followup, who: str
) -> None:
    close(site)
    sees_all = who in ("C001", "O001")
    own = who if who in OWNERS else "L001"
    other = "L002" if own != "L002" else "L001"
    async with site.client.stream("GET", STREAM, headers=as_(who)) as answer:
        told = Told(answer)
        await told.snapshot()
        foreign = await matter_of(followup, other)
        mine = await matter_of(followup, own)
        names = await summaries(followup)
        heard = ""
        async with asyncio.timeout(20):
            while names[mine] not in heard:
                heard += str(await told.snapshot(20))
        assert (names[foreign] in heard) == sees_all
    counted = (await site.get("/", headers=as_(who))).text
    assert (names[foreign] in counted) == sees_all


def test_the_pages_that_are_tried_are_those_that_there_are() -> None:
    assert {"/", STREAM, "/docs"} <= set(PAGES)
