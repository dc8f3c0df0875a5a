"""The rates of any period over any history: each part lies within its whole, and what is left out is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from services.followup.domain.facts import Visited
from services.followup.domain.matter import Matter
from services.followup.domain.rates import Counted, GroupBy, Tally, rates_of
from services.followup.store import rates
from services.followup.store.rates import Period
from shared.runtime.database import Connection
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    MONDAY,
    accepted,
    new_matter,
    offered,
    registered,
    town_time,
    withdrawn,
)
from tests.unit.followup import town

HANDLED = {"outcome": "resolved", "answer": "已疏通", "path": "instant"}
UNHAPPY = {"reached": True, "solved": False, "satisfaction": 2}
ENDS = {Counted.MERGED, Counted.WITHDRAWN, Counted.REJECTED}
EVERY = [each.value for each in Counted]


async def two_rounds(followup: Followup, api: Api, matter: str) -> None:
    """Handled, not content and reopened, twice."""
    for number in (1, 2):
        if number == 2:
            again = offered(matter, round_=2, offer_id="offer-2")
            assert not await followup.take(again, accepted(matter, round_=2, offer_id="offer-2"))
        await api.done(f"{matter}/handle", "L001", HANDLED)
        await api.done(f"{matter}/return-visit", "C001", UNHAPPY)
        followup.now += timedelta(days=1)
        body = {"cause": "not_solved", "reason": "仍不通"}
        await api.done(f"{matter}/reopen", "C001", body)


async def test_case_46_reopened_twice_is_two_of_two_rounds(followup: Followup, api: Api) -> None:
    await two_rounds(followup, api, await followup.in_progress())
    followup.now = town_time(5, 11)
    found = (await api.get("/rates", from_="2026-03-02", to="2026-03-05")).json()["rates"]
    assert found["reopened"] == {"rate": 1.0, "numerator": 2, "denominator": 2, "left_out": {}}


async def test_case_46_reopened_after_the_period_of_its_handling_is_named(
    followup: Followup, api: Api
) -> None:
    await two_rounds(followup, api, await followup.in_progress())
    followup.now = town_time(5, 11)
    found = (await api.get("/rates", from_="2026-03-04", to="2026-03-05")).json()["rates"]
    assert found["reopened"] == {
        "rate": None, "numerator": 0, "denominator": 0, "left_out": {"handled_earlier": 1},
    }  # fmt: skip


async def test_case_81_what_was_merged_is_named_and_once_undone_it_is_not(
    followup: Followup, api: Api
) -> None:
    matter, into = await followup.in_progress(), await followup.in_progress()
    gone = new_matter()
    await followup.take(registered(gone))
    await followup.take(withdrawn(gone))
    await api.done(f"{matter}/merge", "C001", {"into": into, "reason": "同一问题"})
    followup.now = MONDAY + timedelta(hours=1)

    async def left_out(name: str) -> dict[str, int]:
        found = (await api.get("/rates", from_="2026-03-02", to="2026-03-02")).json()
        parts: dict[str, int] = found["rates"][name]["left_out"]
        return parts

    for name in ("on_time", "instant", "reopened"):
        assert await left_out(name) == {"merged": 1, "withdrawn": 1}
    for name in ("response", "resolution", "satisfaction", "reached"):
        assert (await left_out(name))["merged"] == 1
    await api.done(f"{matter}/unmerge", "C001", {"reason": "不是一回事"})
    followup.now = MONDAY + timedelta(hours=2)
    assert await left_out("on_time") == {"withdrawn": 1}


def drawn(random: Random) -> list[Tally]:
    """What may have happened to a few matters in a few days: in an order that fits or not."""
    matters = [
        replace(
            town.handled(),
            id=new_matter(),
            dispatch=replace(town.DISPATCH, park=random.choice(["九科园", None])),
        )
        for _ in range(6)
    ]
    return [_tally(random, random.choice(matters)) for _ in range(60)]


def _tally(random: Random, matter: Matter) -> Tally:
    what = random.choice(list(Counted))
    said = random.random() < 0.7
    visited = Visited(
        said,
        said and random.random() < 0.8,
        random.random() < 0.6 if said else None,
        random.choice([None, 1, 3, 5]) if said else None,
        None,
        1,
    )
    return Tally(
        what,
        MONDAY + timedelta(hours=random.randrange(0, 96, 12)),
        replace(matter, round=random.randrange(1, 4)),
        random.choice([None, town.OWNER]),
        seconds=60,
        on_time=random.random() < 0.5 if what is Counted.HANDLED else None,
        instant=random.random() < 0.5 if what is Counted.HANDLED else None,
        exempted=random.random() < 0.5 if what is Counted.CLOSED else None,
        visited=visited if what is Counted.VISITED else None,
    )


def rounds(tallies: Sequence[Tally], *what: Counted) -> set[tuple[str, int]]:
    return {(each.matter.id, each.matter.round) for each in tallies if each.what in what}


def ended_otherwise(tallies: Sequence[Tally]) -> set[tuple[str, int]]:
    """The rounds whose last end of the kinds that need no visit still stands."""
    last: dict[tuple[str, int], Counted] = {}
    for each in sorted(tallies, key=lambda tally: tally.at):
        if each.what in ENDS | {Counted.UNMERGED}:
            last[each.matter.id, each.matter.round] = each.what
    return {key for key, what in last.items() if what in ENDS}


def check(period: Period, tallies: Sequence[Tally] | None) -> None:
    found = rates_of(period.counts)
    for name, rate in found.items():
        assert 0 <= rate.numerator <= rate.denominator, name
        assert all(count >= 0 for count in rate.left_out.values()), name
    if tallies is None:
        return
    otherwise = ended_otherwise(tallies)
    exempted = [each for each in tallies if each.what is not Counted.CLOSED or each.exempted]
    seen = rounds(exempted, Counted.VISITED, Counted.CLOSED) | otherwise
    for name in ("response", "resolution", "satisfaction", "reached"):
        assert found[name].denominator + sum(found[name].left_out.values()) == len(seen), name
    worked = rounds(tallies, Counted.HANDLED) | otherwise
    for name in ("on_time", "instant"):
        assert found[name].denominator + sum(found[name].left_out.values()) == len(worked), name
    again = found["reopened"]
    earlier = again.left_out.get("handled_earlier", 0)
    assert again.numerator + earlier == len(rounds(tallies, Counted.REOPENED))
    assert again.denominator + sum(again.left_out.values()) - earlier == len(worked)


@pytest.mark.parametrize("seed", range(4))
async def test_case_46_over_any_history_and_window_the_parts_make_the_whole(
    followup: Followup, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a history, not a secret
    for _ in range(10):
        tallies = drawn(random)
        async with followup.db.transaction() as conn:
            # Each history stands alone; the trigger that keeps the rows is for the services.
            await conn.execute("set local session_replication_role = replica")
            await conn.execute("delete from tally")
            await rates.count(conn, tallies)
        async with followup.db.reading() as conn:
            for _ in range(6):
                await examine(conn, random, tallies)


async def examine(conn: Connection, random: Random, tallies: Sequence[Tally]) -> None:
    """One window, by something or not."""
    start, end = sorted(random.sample(range(-6, 108, 6), 2))
    since, until = MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end)
    by = random.choice([None, *GroupBy])
    whole, *groups = await rates.sum_period(conn, since, until, by, EVERY)
    check(whole, _within(tallies, since, until))
    for group in groups:
        check(group, None)
    for name in type(whole.counts).__slots__ if by is not None else ():
        parts = sum(getattr(group.counts, name) for group in groups)
        assert parts == getattr(whole.counts, name), name


def _within(tallies: Sequence[Tally], since: datetime, until: datetime) -> list[Tally]:
    return [each for each in tallies if since <= each.at < until]
