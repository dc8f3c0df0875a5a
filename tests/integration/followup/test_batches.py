"""What intake and routing say, in batches: opened, offered, taken, in either order, once."""

from shared.contracts.vocabulary import PendingReason
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import (
    DEPUTY,
    accepted,
    amended,
    answered,
    declined,
    new_matter,
    offered,
    registered,
    town_time,
    waiting,
    withdrawn,
)


async def test_a_registered_request_is_a_matter_with_a_promise(followup: Followup) -> None:
    matter_id = new_matter()
    opened = registered(matter_id)
    assert await followup.take(opened) == []
    matter = await followup.matter(matter_id)
    assert (matter["state"], matter["version"], matter["round"]) == ("received", 1, 1)
    assert matter["next_due_at"] == town_time(5, 17, 30)
    (event,) = await followup.events(matter_id)
    assert event["actor"] == {"role": "system", "party": "https://one-stop.example"}
    assert event["causation_id"] == opened.id
    assert event["deadlines"][0]["clock"] == "interim"


async def test_an_assignment_of_an_unknown_matter_is_early_and_changes_nothing(
    followup: Followup,
) -> None:
    matter_id = new_matter()
    offer, acceptance = offered(matter_id), accepted(matter_id)
    assert await followup.take(offer, acceptance) == [offer, acceptance]
    assert await followup.rows("select 1 from matter") == []
    assert await followup.take(registered(matter_id)) == []
    assert await followup.take(offer, acceptance) == []
    assert await followup.said(matter_id) == ["opened", "offered", "taken"]


async def test_a_batch_takes_many_matters_and_many_events_of_one(followup: Followup) -> None:
    matters = [new_matter() for _ in range(40)]
    await followup.take(*(registered(each) for each in matters))
    news = [step(each) for each in matters for step in (offered, accepted)]
    assert await followup.take(*news) == []
    states = await followup.rows("select state, version, owner_id from matter")
    assert states == [{"state": "in_progress", "version": 3, "owner_id": "L001"}] * 40
    counted = await followup.rows("select what, liaison, department, park, category from tally")
    assert (
        counted
        == [
            {
                "what": "taken",
                "liaison": "L001",
                "department": "D-ROAD",
                "park": "九科园",
                "category": "基础设施/道路交通",
            }
        ]
        * 40
    )


async def test_the_handling_limit_counts_from_the_registration(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    followup.now = town_time(3, 16)
    await followup.take(offered(matter_id, at=followup.now))
    clocks = {each["kind"]: each for each in (await followup.matter(matter_id))["body"]["clocks"]}
    # Five working days from Monday 2 March end on the Monday after.
    assert clocks["handle"]["due_at"].startswith("2026-03-09T09:30")
    assert clocks["accept"]["due_at"].startswith("2026-03-04T01:30")


async def test_a_declined_offer_goes_on_to_the_next(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(
        offered(matter_id),
        declined(matter_id),
        offered(matter_id, party=DEPUTY, offer_id="offer-2"),
        accepted(matter_id, party=DEPUTY, offer_id="offer-2"),
    )
    assert await followup.said(matter_id) == [
        "opened", "offered", "returned", "offered", "taken",
    ]  # fmt: skip
    assert (await followup.matter(matter_id))["owner_id"] == "L002"
    counted = await followup.rows("select what, liaison from tally order by what")
    assert counted == [
        {"what": "declined", "liaison": "L001"},
        {"what": "taken", "liaison": "L002"},
    ]


async def test_an_answer_to_an_offer_that_has_passed_moves_nothing(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id), declined(matter_id), accepted(matter_id))
    assert await followup.said(matter_id) == ["opened", "offered", "returned"]
    await followup.take(offered(matter_id, round_=2, offer_id="offer-9"))
    assert (await followup.matter(matter_id))["state"] == "awaiting_dispatch"


async def test_waiting_says_why_and_until_when(followup: Followup) -> None:
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(waiting(matter_id), waiting(matter_id))
    matter = await followup.matter(matter_id)
    assert matter["state"] == "awaiting_dispatch"
    assert matter["body"]["pending"]["reason"] == PendingReason.NO_RULE
    assert await followup.said(matter_id) == ["opened", "waiting"]


async def test_what_the_requester_adds_is_kept_and_withdrawing_ends_it(followup: Followup) -> None:
    matter_id = await followup.in_progress()
    await followup.take(amended(matter_id), withdrawn(matter_id), amended(matter_id, "谢谢"))
    matter = await followup.matter(matter_id)
    assert (matter["state"], matter["next_due_at"], matter["act_at"]) == ("withdrawn", None, None)
    assert (await followup.said(matter_id))[3:] == ["amended", "withdrawn", "amended"]


async def test_an_answer_before_anything_was_handled_is_kept_as_words(followup: Followup) -> None:
    matter_id = await followup.in_progress()
    await followup.take(answered(matter_id))
    assert (await followup.said(matter_id))[3:] == ["amended"]
    assert (await followup.matter(matter_id))["state"] == "in_progress"


async def test_lists_follow_the_parties_and_the_end(followup: Followup) -> None:
    matter_id = await followup.in_progress()
    lists = await followup.rows("select name, open from listing order by name")
    assert [row["name"] for row in lists] == [
        "category:基础设施",
        "category:基础设施/道路交通",
        "park:九科园",
        "party:D-FIRE",
        "party:D-ROAD",
        "party:L001",
        "requester:91310117MA1J00001G",
    ]
    assert all(row["open"] for row in lists)
    await followup.take(withdrawn(matter_id))
    assert not any(row["open"] for row in await followup.rows("select open from listing"))
