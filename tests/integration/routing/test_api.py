"""Routing over HTTP: what each role may do, what the answers look like, and what refusals say."""

import asyncio
from datetime import timedelta

import httpx

from shared.contracts.vocabulary import Urgency
from shared.runtime.ids import new_id
from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import MONDAY, RESIDENT, be_away, registered


async def offered(routing: Routing, **changes) -> tuple[str, str]:
    request = registered(**changes)
    await routing.take_requests(request)
    return request.subject, str((await routing.current(request.subject))["id"])


async def test_the_queue_shows_the_oldest_request_first_with_age_and_reason(
    routing: Routing, api: Api
):
    newer, _ = await offered(routing, received_at=MONDAY - timedelta(hours=1))
    older, offer_id = await offered(routing, received_at=MONDAY - timedelta(days=3))
    page = (await api.get("/routing/queues/L001", "L001")).json()
    assert [item["matter_id"] for item in page["items"]] == [older, newer]
    assert page["next"] is None
    item = page["items"][0]
    assert (
        item
        | {
            "offer_id": offer_id,
            "state": "offered",
            "round": 1,
            "attempt": 1,
            "version": 1,
            "summary": "园区北门道路积水",
            "category": "基础设施/道路交通/积水",
            "urgency": "normal",
            "candidacy": "primary",
            "age_seconds": 3 * 86400,
            "lead_department": "D-ROAD",
            "co_departments": ["D-POLICE"],
            "expires_at": "2026-03-02T03:30:00Z",
        }
        == item
    )
    assert item["requester"]["name"] == "企业1"
    assert "甲" in item["reason"]
    english = (await api.get("/routing/queues/me?lang=en", "L001")).json()["items"][0]["reason"]
    assert "rule R01 of version 1" in english


async def test_a_queue_is_read_page_by_page(routing: Routing, api: Api):
    requests = [registered(received_at=MONDAY - timedelta(minutes=n)) for n in range(5)]
    await routing.take_requests(*requests)
    seen, cursor = [], ""
    for _ in range(5):
        page = (await api.get(f"/routing/queues/me?limit=2{cursor}", "L001")).json()
        seen += [item["matter_id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [request.subject for request in reversed(requests)]
    assert (await api.get("/routing/queues/me?cursor=nonsense", "L001")).status_code == 422


async def test_what_was_taken_is_shown_when_asked_for(routing: Routing, api: Api):
    matter_id, offer_id = await offered(routing)
    answer = await api.post(f"/routing/offers/{offer_id}/accept", "L001")
    assert answer.status_code == 200
    assert (await api.get("/routing/queues/me", "L001")).json()["items"] == []
    taken = (await api.get("/routing/queues/me?state=accepted", "L001")).json()["items"]
    assert [item["matter_id"] for item in taken] == [matter_id]


async def test_only_one_s_own_queue_but_for_those_who_oversee(routing: Routing, api: Api):
    assert (await api.get("/routing/queues/L002", "L001")).status_code == 403
    assert (await api.get("/routing/queues/D-ROAD", "L001")).status_code == 403
    assert (await api.get("/routing/queues/D-ROAD", "D-ROAD")).status_code == 200
    for overseer in ("coordinator", "operator"):
        assert (await api.get("/routing/queues/L002", overseer)).status_code == 200
    assert (await api.get("/routing/queues/me", "coordinator")).status_code == 200
    assert (await api.get("/routing/queues/L999", "coordinator")).status_code == 404
    assert (await api.get("/routing/queues/me", "system")).status_code == 403
    assert (await api.get("/routing/queues/me", "nobody")).status_code == 401


async def test_accepting_answers_who_has_it_and_the_second_hears_it(routing: Routing, api: Api):
    matter_id, offer_id = await offered(routing)
    path = f"/routing/offers/{offer_id}/accept"
    answers = await asyncio.gather(api.post(path, "L001"), api.post(path, "coordinator"))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    assert won.json() | {"matter_id": matter_id, "state": "accepted", "version": 2} == won.json()
    assert won.headers["etag"] == '"2"'
    problem = lost.json()
    assert problem["type"] == "urn:liaison:problem:offer_not_open"
    assert problem["state"] == "accepted"
    assert problem["holder"]["party"] == {"id": "L001", "kind": "liaison", "name": "甲"}
    assert "甲" in problem["detail"]


async def test_a_retry_under_the_same_key_gets_the_first_answer(routing: Routing, api: Api):
    _, offer_id = await offered(routing)
    path = f"/routing/offers/{offer_id}/accept"
    first = await api.post(path, "L001", key="k1")
    again = await api.post(path, "L001", key="k1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert (await api.post(path, "L001", key="k2")).status_code == 409


async def test_an_offer_that_ran_out_says_so_and_where_the_matter_is(routing: Routing, api: Api):
    _, offer_id = await offered(routing)
    api.now = MONDAY + timedelta(hours=2)
    late = await api.post(f"/routing/offers/{offer_id}/accept", "L001")
    assert (late.status_code, late.json()["state"]) == (409, "timed_out")
    await routing.sweep(api.now)
    late = await api.post(f"/routing/offers/{offer_id}/accept", "L001")
    assert (late.status_code, late.json()["holder"]["party"]["id"]) == (409, "L002")


async def test_if_match_is_the_matter_s_version(routing: Routing, api: Api):
    _, offer_id = await offered(routing)
    path = f"/routing/offers/{offer_id}/accept"
    moved = await api.post(path, "L001", headers={"if-match": '"4"'})
    assert (moved.status_code, moved.json()["version"]) == (412, 1)
    assert (await api.post(path, "L001", headers={"if-match": '"1"'})).status_code == 200


async def test_declining_says_who_is_next(routing: Routing, api: Api):
    _, offer_id = await offered(routing)
    path = f"/routing/offers/{offer_id}/decline"
    assert (await api.post(path, "L001", {})).status_code == 422
    assert (await api.post(path, "L001", {"reason_code": "tired"})).status_code == 422
    assert (await api.post(path, "L002", {"reason_code": "other"})).status_code == 403
    answer = (await api.post(path, "L001", {"reason_code": "on_leave", "note": "出差"})).json()
    assert (answer["state"], answer["objection"]) == ("declined", None)
    assert answer["next"]["party"]["id"] == "L002"


async def test_an_objection_is_found_and_ruled_by_a_coordinator_alone(routing: Routing, api: Api):
    matter_id, offer_id = await offered(routing)
    body = {"reason_code": "not_my_enterprise", "suggested_owner": "L003", "note": "归丙"}
    answer = (await api.post(f"/routing/offers/{offer_id}/decline", "L001", body)).json()
    assert answer["next"] is None
    (review,) = (await api.get("/routing/objections", "coordinator")).json()["items"]
    assert review["objection_id"] == answer["objection"]["objection_id"]
    assert (review["raised_by"]["id"], review["suggested_owner"]["id"]) == ("L001", "L003")
    path = f"/routing/objections/{review['objection_id']}/ruling"
    assert (await api.post(path, "L001", {"ruling": "upheld"})).status_code == 403
    assert (await api.get("/routing/objections", "L001")).status_code == 403
    ruled = (await api.post(path, "coordinator", {"ruling": "upheld", "note": "属实"})).json()
    assert ruled["next"]["party"]["id"] == "L003"
    again = await api.post(path, "coordinator", {"ruling": "overruled"})
    assert (again.status_code, again.json()["holder"]["party"]["id"]) == (409, "L003")
    assert (await api.get("/routing/objections", "coordinator")).json()["items"] == []
    why = (await api.get(f"/routing/requests/{matter_id}/explanation", "operator")).json()
    assert [objection["state"] for objection in why["objections"]] == ["upheld"]


async def test_a_suggestion_that_cannot_be_is_named(routing: Routing, api: Api):
    _, offer_id = await offered(routing)
    path = f"/routing/offers/{offer_id}/decline"
    for owner, code in (("L001", "suggests_itself"), ("L999", "no_such_owner")):
        answer = await api.post(path, "L001", {"reason_code": "other", "suggested_owner": owner})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/suggested_owner"
        assert answer.json()["errors"][0]["code"] == code


async def test_what_is_not_there_is_404(routing: Routing, api: Api):
    for path, body in (
        (f"/routing/offers/{new_id()}/accept", {}),
        (f"/routing/objections/{new_id()}/ruling", {"ruling": "upheld"}),
    ):
        assert (await api.post(path, "coordinator", body)).status_code == 404, path
    assert (
        await api.get(f"/routing/requests/{new_id()}/explanation", "coordinator")
    ).status_code == 404


async def test_the_explanation_has_every_candidate_of_every_decision(routing: Routing, api: Api):
    await be_away(routing.db, "L001", deputy="L003")
    matter_id, offer_id = await offered(routing, urgency=Urgency.URGENT)
    await api.post(f"/routing/offers/{offer_id}/decline", "L003", {"reason_code": "not_ours"})
    why = (await api.get(f"/routing/requests/{matter_id}/explanation?lang=en", "L001")).json()
    assert (why["catalogue_version"], why["rule_id"], why["standing"]) == (1, "R01", "offered")
    assert why["holder"]["party"]["id"] == "L002"
    first, second = why["decisions"]
    assert (first["cause"], second["cause"]) == ("registered", "declined")
    assert [
        (one["party"]["id"], one["candidacy"], one["verdict"]) for one in first["candidates"]
    ] == [
        ("L001", "primary", "absent"),
        ("L003", "deputy", "taken"),
        ("L002", "deputy", "not_reached"),
        ("D-ROAD", "department_desk", "not_reached"),
        ("DESK", "fallback_desk", "not_reached"),
    ]
    assert [one["verdict"] for one in second["candidates"]] == [
        "absent", "declined", "taken", "not_reached", "not_reached",
    ]  # fmt: skip
    assert [one["taken"] for one in second["candidates"]].count(True) == 1
    assert first["candidates"][0]["why"] == "甲 is away"
    assert first["offer"]["state"] == "declined"
    assert first["offer"]["reason"] == "not_ours"
    assert second["offer"]["ended_at"] is None


async def test_an_absence_put_now_moves_what_is_offered_before_it_is_answered(
    routing: Routing, api: Api
):
    matter_id, _ = await offered(routing)
    body = {"from": "2026-03-02", "until": "2026-03-04", "deputy_id": "L003"}
    path = "/routing/liaisons/L001/absences/A1"
    assert (await api.put(path, "L002", body)).status_code == 403
    answer = await api.put(path, "L001", body)
    assert answer.status_code == 201
    assert answer.json()["from"] == "2026-03-01T16:00:00Z"
    assert answer.json()["until"] == "2026-03-04T16:00:00Z"
    offer = await routing.current(matter_id)
    assert (offer["party"], offer["cause"]) == ("L003", "liaison_absent")
    rescinded = (await routing.events(matter_id))[1]
    assert rescinded["reason"] == "liaison_absent"
    assert rescinded["actor"] == {"role": "liaison", "party": "L001"}
    assert (await api.put(path, "L001", body)).status_code == 200


async def test_a_desk_is_answered_by_its_own(routing: Routing, api: Api):
    _, offer_id = await offered(routing, requester=RESIDENT)
    assert (await api.post(f"/routing/offers/{offer_id}/accept", "L001")).status_code == 403
    assert (await api.post(f"/routing/offers/{offer_id}/accept", "D-ROAD")).status_code == 200


async def test_refusals_are_in_the_reader_s_language(api: Api):
    answers: list[httpx.Response] = [
        await api.get("/routing/queues/L002", "L001", headers={"accept-language": lang})
        for lang in ("zh-CN", "en")
    ]
    assert [answer.json()["title"] for answer in answers] == ["不是您的队列", "Not your queue"]
