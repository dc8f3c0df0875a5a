"""What a receipt shows is the whole state after the last event: null where something ended, and along merges."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.handlers.progress import begin_again, follow_matters
from shared.contracts.events.assignments import Dispatch, PartyRef
from shared.contracts.events.matters import (
    MatterClosed,
    MatterHandled,
    MatterMerged,
    MatterOffered,
    MatterOpened,
    MatterRejected,
    MatterReopened,
    MatterReturned,
    MatterTaken,
    MatterUnmerged,
    MatterWaiting,
)
from shared.contracts.events.requests import RequesterRef
from shared.contracts.vocabulary import (
    Candidacy,
    Channel,
    Difficulty,
    Kind,
    MatterState,
    Outcome,
    PartyKind,
    Path,
    PendingReason,
    ReopenCause,
    RequesterKind,
    Urgency,
)
from shared.delivery.cloudevents import Message
from tests.integration.intake.samples import submission
from tests.integration.intake.test_receipts import LIAISON, NOW, Taken, conn

__all__ = ["conn"]

DEPUTY = PartyRef(id="L002", kind=PartyKind.LIAISON, name="陆二")
ROADS = PartyRef(id="D-ROAD", kind=PartyKind.DEPARTMENT, name="道路所")
S = MatterState


@pytest.fixture
async def taken(intake: httpx.AsyncClient, conn: asyncpg.Connection) -> Taken:
    return await another(intake, conn)


async def another(intake: httpx.AsyncClient, conn: asyncpg.Connection, **changes: Any) -> Taken:
    answer = await intake.post("/intake/requests", json=submission(**changes))
    return Taken(intake, conn, answer.json())


def dispatch(lead: str | None) -> Dispatch:
    return Dispatch(
        catalogue_version=1, rule_id="R1", category=None, lead_department=lead, co_departments=(),
        urgency=Urgency.NORMAL, difficulty=Difficulty.SIMPLE, accept_hours=2.0, handle_days=5,
    )  # fmt: skip


def offered(to: Taken, party: PartyRef, lead: str | None = None, round_: int = 1) -> Message:
    return to.news(
        MatterOffered, S.OFFERED, round_, offer_id="o", party=party, candidacy=Candidacy.PRIMARY,
        why="", expires_at=NOW, dispatch=dispatch(lead),
    )  # fmt: skip


def accepted(to: Taken, party: PartyRef, round_: int = 1) -> Message:
    return to.news(MatterTaken, S.IN_PROGRESS, round_, offer_id="o", owner=party)


def returned(to: Taken, party: PartyRef, how: str = "declined") -> Message:
    return to.news(MatterReturned, S.AWAITING_DISPATCH, offer_id="o", party=party, ended=how)


def handled(to: Taken, answer: str, round_: int = 1) -> Message:
    return to.news(
        MatterHandled, S.HANDLED, round_, outcome=Outcome.RESOLVED, answer=answer,
        path=Path.INSTANT, on_time=True,
    )  # fmt: skip


def closed(to: Taken, **data: Any) -> Message:
    return to.news(MatterClosed, S.CLOSED, outcome=Outcome.RESOLVED, **data)


def reopened(to: Taken) -> Message:
    return to.news(
        MatterReopened, S.AWAITING_DISPATCH, 2, cause=ReopenCause.NOT_SOLVED, reason="还在积水"
    )


def merged(to: Taken, into: Taken) -> Message:
    return to.news(MatterMerged, S.MERGED, into=into.id, reason="同一问题")


async def status(of: Taken) -> dict[str, Any]:
    answer = await of.client.get(of.url, headers={"authorization": ""})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def may_call(of: Taken) -> set[str]:
    """Who of the town's parties reads the contact."""
    found = set()
    for party in ("L001", "L002", "D-ROAD"):
        answer = await of.client.get(
            f"/intake/requests/{of.id}", headers={"authorization": f"Bearer {party}"}
        )
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            found.add(party)
    return found


async def test_case_44_after_reopening_nothing_of_the_round_before_is_shown_as_current(
    taken: Taken,
) -> None:
    news = [
        offered(taken, LIAISON), accepted(taken, LIAISON), handled(taken, "排水管已疏通"),
        closed(taken), reopened(taken),
    ]  # fmt: skip
    # One batch, or one event at a time: the same.
    await follow_matters(taken.conn, news[:3])
    for each in news[3:]:
        await follow_matters(taken.conn, [each])
    seen = await status(taken)
    current = [seen[name] for name in ("state", "round", "owner", "outcome", "answer")]
    assert current == ["awaiting_dispatch", 2, None, None, None]
    assert seen["reopen_until"] is None
    assert "排水管已疏通" in [entry.get("words") for entry in seen["timeline"]]
    assert await may_call(taken) == set()
    before = await taken.conn.fetch("select * from progress")
    async with taken.conn.transaction():
        await begin_again(taken.conn)
    await follow_matters(taken.conn, news)
    assert await taken.conn.fetch("select * from progress") == before


async def test_case_44_whoever_declined_timed_out_or_handed_over_reads_the_contact_no_more(
    taken: Taken,
) -> None:
    steps: list[tuple[Message, set[str]]] = [
        (offered(taken, LIAISON), {"L001"}),
        (returned(taken, LIAISON), set()),
        (offered(taken, DEPUTY, lead="D-ROAD"), {"L002", "D-ROAD"}),
        (returned(taken, DEPUTY, "timed_out"), {"D-ROAD"}),
        (offered(taken, ROADS, lead="D-ROAD"), {"D-ROAD"}),
        # A department that says that it is not theirs, though the catalogue still names it.
        (returned(taken, ROADS), set()),
        (offered(taken, LIAISON, lead="D-ROAD"), {"L001"}),
        (offered(taken, ROADS, lead="D-ROAD"), {"D-ROAD"}),
        (
            taken.news(
                MatterWaiting, S.AWAITING_DISPATCH, pending_reason=PendingReason.NO_RULE,
                review_at=NOW, dispatch=dispatch(None),
            ),
            set(),
        ),
        (offered(taken, LIAISON), {"L001"}),
        (accepted(taken, LIAISON), {"L001"}),
        # On its way to another owner: both, until the other accepts.
        (offered(taken, DEPUTY), {"L001", "L002"}),
        (accepted(taken, DEPUTY), {"L002"}),
        (taken.news(MatterRejected, S.REJECTED, reason="诉讼中", channel="12368"), set()),
    ]  # fmt: skip
    for number, (message, expected) in enumerate(steps):
        await follow_matters(taken.conn, [message])
        assert await may_call(taken) == expected, (number, message.event)


async def test_case_44_when_a_closing_is_final_the_contact_is_nobodys(taken: Taken) -> None:
    await follow_matters(taken.conn, [offered(taken, LIAISON), accepted(taken, LIAISON)])
    await follow_matters(taken.conn, [handled(taken, "已通"), closed(taken)])
    # The news is of March 2026, and the service's clock of today.
    assert await may_call(taken) == set()
    late = NOW + timedelta(days=36_500)
    await follow_matters(taken.conn, [closed(taken, reopen_until=late)])
    assert await may_call(taken) == {"L001"}


async def test_case_47_a_rejection_shows_its_reason_and_the_lawful_channel(taken: Taken) -> None:
    rejected = taken.news(
        MatterRejected, S.REJECTED, reason="事项已进入诉讼程序", channel="请向人民法院提出(12368)"
    )
    await follow_matters(taken.conn, [rejected])
    seen = await status(taken)
    assert seen["rejection"] == {
        "reason": "事项已进入诉讼程序",
        "channel": "请向人民法院提出(12368)",
    }
    assert seen["timeline"][-1]["words"] == "事项已进入诉讼程序"


async def test_case_43_a_merged_receipt_follows_there_and_back_again(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    first = await another(intake, conn, summary="北门积水")
    into = await another(intake, conn, summary="另一位同事写的概述", detail="另一位同事写的内容")
    await follow_matters(conn, [offered(into, DEPUTY), accepted(into, DEPUTY)])
    await follow_matters(conn, [offered(first, LIAISON), accepted(first, LIAISON)])
    assert (await status(first))["owner"] == "沈一"
    await follow_matters(conn, [merged(first, into)])
    seen = await status(first)
    assert [seen[name] for name in ("state", "owner", "merged_into")] == [
        "in_progress", "陆二", into.id,
    ]  # fmt: skip
    assert await may_call(first) == {"L002"}
    assert (await first.post("messages", message="又积水了")).status_code == 202
    await follow_matters(conn, [handled(into, "排水管已疏通")])
    seen = await status(first)
    assert (seen["state"], seen["answer"], seen["outcome"]) == (
        "handled", "排水管已疏通", "resolved",
    )  # fmt: skip
    assert [entry["type"] for entry in seen["timeline"]][-2:] == [
        "matter.merged",
        "matter.handled",
    ]
    assert "另一位同事" not in str(seen)
    answer = await first.post("answer", solved=False, satisfaction=2)
    assert answer.status_code == 202
    await follow_matters(conn, [closed(into), reopened(into)])
    seen = await status(first)
    assert (seen["state"], seen["round"], seen["answer"]) == ("awaiting_dispatch", 2, None)
    back = first.news(MatterUnmerged, S.IN_PROGRESS, out_of=into.id, reason="不是同一处")
    await follow_matters(conn, [back])
    seen = await status(first)
    assert [seen[name] for name in ("state", "owner", "merged_into", "round")] == [
        "in_progress", "沈一", None, 1,
    ]  # fmt: skip
    assert await may_call(first) == {"L001"}


async def test_case_43_a_chain_of_merges_leads_to_its_end_and_a_circle_ends(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    first, second, third = [await another(intake, conn) for _ in range(3)]
    await follow_matters(conn, [merged(first, second), merged(second, third)])
    # Followup has not spoken of the last one yet: its topic has more than one partition.
    seen = await status(first)
    assert (seen["state"], seen["merged_into"]) == ("received", third.id)
    await follow_matters(conn, [merged(third, first)])
    assert (await status(first))["state"] == "merged"


def opened(of: Taken) -> Message:
    return of.news(
        MatterOpened, S.RECEIVED, request_id=of.id, channel=Channel.WEB, kind=Kind.HELP,
        requester=RequesterRef(kind=RequesterKind.ENTERPRISE, id="1", name="另一位"),
        summary="", urgency=Urgency.NORMAL, received_at=NOW,
    )  # fmt: skip


async def test_case_43_that_the_other_request_was_registered_is_not_told(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    first, into = [await another(intake, conn) for _ in range(2)]
    await follow_matters(conn, [opened(first), merged(first, into), opened(into)])
    kinds = [entry["type"] for entry in (await status(first))["timeline"]]
    assert kinds == ["request.registered", "matter.opened", "matter.merged"]


async def test_case_83_a_closed_matter_is_answered_as_long_as_it_can_be_reopened(
    taken: Taken,
) -> None:
    until = NOW + timedelta(days=36_500)
    await follow_matters(taken.conn, [handled(taken, "已通"), closed(taken, reopen_until=until)])
    assert (await taken.post("answer", solved=False, satisfaction=1)).status_code == 202
    await follow_matters(taken.conn, [closed(taken, reopen_until=NOW)])
    late = await taken.post("answer", solved=False, satisfaction=1)
    assert late.status_code == 409
    assert late.json()["type"].endswith("reopening_ended")
    assert late.json()["reopen_until"].startswith("2026-03-02")


async def test_case_83_an_answer_names_the_round_that_the_holder_saw(taken: Taken) -> None:
    await follow_matters(taken.conn, [reopened(taken), handled(taken, "已通", 2)])
    assert (await taken.post("answer", solved=True, satisfaction=5)).status_code == 202
    told = "select data->>'round' from event where type = 'liaison.return_visit.answered.v1'"
    assert await taken.conn.fetchval(told) == "2"
