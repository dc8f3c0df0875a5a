"""Lists, one matter, its history, the wall chart and the rates, as each caller may see them."""

from typing import Any

from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    DEPUTY,
    FIRM,
    OTHER_FIRM,
    accepted,
    declined,
    new_matter,
    offered,
    registered,
    town_time,
    withdrawn,
)

HANDLED = {"outcome": "resolved", "answer": "已疏通", "path": "instant"}


async def listed(api: Api, who: str = "C001", **params: Any) -> list[str]:
    answer = await api.get("/matters", who, **params)
    assert answer.status_code == 200, answer.text
    return [item["matter_id"] for item in answer.json()["items"]]


async def test_each_filter_finds_what_fits_and_nothing_else(followup: Followup, api: Api) -> None:
    first = await followup.in_progress(summary="园区道路积水")
    second = await followup.in_progress(firm=OTHER_FIRM, summary="人才补贴 Talent 申报")
    third = new_matter()
    await followup.take(registered(third, summary="消防通道被占", category="安全生产/消防"))
    ended = await followup.in_progress(summary="停车位紧张")
    await followup.take(withdrawn(ended))
    everything = [ended, third, second, first]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, everything),
        ({"state": "in_progress"}, [second, first]),
        ({"state": "received"}, [third]),
        ({"state": "withdrawn"}, [ended]),
        ({"state": "closed"}, []),
        ({"owner": "L001"}, [ended, second, first]),
        ({"owner": "L002"}, []),
        ({"department": "D-FIRE"}, [ended, second, first]),
        ({"uscc": OTHER_FIRM}, [second]),
        ({"uscc": FIRM, "state": "in_progress"}, [first]),
        ({"category": "安全生产"}, [third]),
        ({"category": "基础设施/道路交通"}, [ended, second, first]),
        ({"category": "基础"}, []),
        ({"park": "九科园", "state": "in_progress"}, [second, first]),
        ({"q": "道路"}, [first]),
        ({"q": "talent"}, [second]),
        ({"q": "补贴 申报"}, [second]),
        ({"q": "贴补"}, []),
        ({"q": "消防", "state": "received"}, [third]),
        ({"q": "停车", "department": "D-ROAD"}, [ended]),
        ({"due_before": "2026-03-03T18:00:00+08:00"}, [first, second]),
        ({"due_before": "2026-03-03T18:00:00+08:00", "uscc": OTHER_FIRM}, [second]),
        ({"overdue": "true"}, []),
    ]
    for params, expected in cases:
        assert await listed(api, **params) == expected, params
    followup.now = town_time(20, 10)
    assert await listed(api, overdue="true") == [first, second, third]
    assert await listed(api, overdue="true", owner="L001", q="道路") == [first]


async def test_a_list_goes_on_where_it_stopped(followup: Followup, api: Api) -> None:
    matters = [await followup.in_progress() for _ in range(7)]
    for params, expected in (
        ({}, list(reversed(matters))),
        ({"owner": "L001"}, list(reversed(matters))),
        ({"state": "in_progress"}, list(reversed(matters))),
        ({"q": "货车"}, list(reversed(matters))),
        ({"due_before": "2026-03-30T00:00:00Z"}, matters),
        ({"due_before": "2026-03-30T00:00:00Z", "department": "D-ROAD"}, matters),
    ):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(4):
            page = (await api.get("/matters", limit=3, **params, **cursor)).json()
            seen += [item["matter_id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert seen == expected, params


async def test_everybody_lists_what_is_theirs(followup: Followup, api: Api) -> None:
    mine = await followup.in_progress()
    passed_on = new_matter()
    await followup.take(registered(passed_on))
    await followup.take(
        offered(passed_on),
        declined(passed_on),
        offered(passed_on, party=DEPUTY, offer_id="offer-2"),
        accepted(passed_on, party=DEPUTY, offer_id="offer-2"),
    )
    nobodys = new_matter()
    await followup.take(registered(nobodys))
    assert await listed(api, "O001") == [nobodys, passed_on, mine]
    assert await listed(api, "L001") == [passed_on, mine]
    assert await listed(api, "L001", owner="L001") == [mine]
    assert await listed(api, "L002") == [passed_on]
    assert await listed(api, "D-FIRE") == [passed_on, mine]
    assert await listed(api, "D-TAX") == []
    assert (await api.get("/matters", "system")).status_code == 403
    assert (await api.get("/matters", "nobody")).status_code == 401


async def test_a_cursor_or_filter_that_cannot_be_is_a_problem(api: Api) -> None:
    for params in (
        {"cursor": "nonsense"},
        {"cursor": "WzFd", "due_before": "2026-03-30T00:00:00Z"},
        {"q": "路"},
        {"q": "。。"},
        {"state": "asleep"},
        {"limit": 0},
        {"due_before": "2026-03-30T00:00:00"},
    ):
        answer = await api.get("/matters", **params)
        assert answer.status_code == 422, params
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_matter_is_shown_whole(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    answer = await api.get(f"/matters/{matter}", "L001")
    assert answer.headers["etag"] == '"3"'
    found = answer.json()
    assert found["owner"] == {"id": "L001", "kind": "liaison", "name": "王店小二"}
    assert found["dispatch"]["rule_id"] == "R-07"
    assert (found["offer"]["state"], found["offer"]["candidacy"]) == ("accepted", "primary")
    assert found["requester"]["id"] == FIRM
    (request,) = found["requests"]
    assert request["detail"].startswith("世富路")
    assert request["attachments"] == ["https://files.example/1.jpg"]
    assert [each["clock"] for each in found["clocks"]] == ["interim", "handle", "first_contact"]
    assert all(each["calendar_version"] for each in found["clocks"])
    assert "first-contact" in found["steps"]
    assert (await api.get(f"/matters/{matter}", "O001")).json()["steps"] == []


async def test_before_anybody_has_it_the_desk_answers_for_it(followup: Followup, api: Api) -> None:
    matter = new_matter()
    await followup.take(registered(matter))
    found = (await api.get(f"/matters/{matter}")).json()
    assert (found["owner"], found["responsible"]["id"]) == (None, "DESK")
    await followup.take(offered(matter))
    assert (await api.get(f"/matters/{matter}")).json()["responsible"]["id"] == "L001"


async def test_a_history_in_pages_is_whole(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    for number in range(5):
        await api.done(f"{matter}/feedback", "L001", {"text": f"第 {number} 次"})
    first = (await api.get(f"/matters/{matter}/history", limit=6)).json()
    rest = (await api.get(f"/matters/{matter}/history", limit=6, cursor=first["next"])).json()
    items = first["items"] + rest["items"]
    assert [item["version"] for item in items] == list(range(1, 9))
    assert rest["next"] is None
    assert items[-1]["data"]["text"] == "第 4 次"
    assert (await api.get(f"/matters/{matter}/history", "O001")).status_code == 200


async def test_the_wall_chart_shows_what_is_late_first(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    steps = [
        {"title": title, "owner_department": department, "due_at": due}
        for title, department, due in (
            ("意见征询", "D-ROAD", "2026-03-03T17:30:00+08:00"),
            ("勘察设计", "D-FIRE", "2026-03-20T17:30:00+08:00"),
            ("施工建设", "D-ROAD", "2026-04-20T17:30:00+08:00"),
        )
    ]
    await api.done(f"{matter}/plan", "L001", {"milestones": steps})
    followup.now = town_time(18, 17)
    chart = (await api.get("/wall-chart")).json()["items"]
    assert [(each["title"], each["light"]) for each in chart] == [
        ("意见征询", "red"), ("勘察设计", "yellow"), ("施工建设", "green"),
    ]  # fmt: skip
    assert chart[0]["matter_id"] == matter
    assert chart[0]["park"] == "九科园"

    async def titles(who: str = "C001", **params: Any) -> list[str]:
        items = (await api.get("/wall-chart", who, **params)).json()["items"]
        return [item["title"] for item in items]

    assert await titles(department="D-ROAD") == ["意见征询", "施工建设"]
    assert await titles(park="别的园") == []
    assert await titles("L002") == []
    assert len(await titles("D-FIRE")) == 3
    page = (await api.get("/wall-chart", limit=2)).json()
    assert await titles(limit=2, cursor=page["next"]) == ["施工建设"]
    await followup.take(withdrawn(matter))
    assert await titles() == []


async def test_the_rates_say_what_they_are_made_of(followup: Followup, api: Api) -> None:
    async def visited(**said: Any) -> None:
        matter = await followup.in_progress()
        await api.done(f"{matter}/handle", "L001", HANDLED)
        await api.done(f"{matter}/return-visit", "C001", said)

    await visited(reached=True, solved=True, satisfaction=5)
    await visited(reached=True, solved=True, satisfaction=2)
    await visited(reached=True, answered=False, solved=False)
    await visited(reached=False)
    exempted = await followup.in_progress()
    await api.done(f"{exempted}/handle", "L001", HANDLED)
    await api.done(f"{exempted}/close", "C001", {"exemption": "企业已搬离"})
    followup.now = town_time(2, 11)
    found = (await api.get("/rates", from_="2026-03-02", to="2026-03-02", by="liaison")).json()
    rates = found["rates"]
    assert rates["response"] == {
        "rate": 2 / 3,
        "numerator": 2,
        "denominator": 3,
        "left_out": {"unreached": 1, "exempted": 1},
    }
    assert (rates["resolution"]["numerator"], rates["resolution"]["denominator"]) == (2, 3)
    assert rates["satisfaction"]["rate"] == 1 / 2
    assert rates["satisfaction"]["left_out"] == {"unreached": 1, "exempted": 1, "unrated": 1}
    assert (rates["reached"]["numerator"], rates["reached"]["denominator"]) == (3, 4)
    assert (rates["on_time"]["rate"], rates["instant"]["rate"]) == (1.0, 1.0)
    assert (rates["declined"]["numerator"], rates["declined"]["denominator"]) == (0, 5)
    assert found["times"]["to_accept"] == {"p50_s": 0.0, "p90_s": 0.0, "count": 5}
    assert [group["key"] for group in found["items"]] == ["L001"]
    assert found["items"][0]["rates"] == rates
    empty = (await api.get("/rates", from_="2026-02-01", to="2026-02-28")).json()
    assert (empty["rates"]["response"]["rate"], empty["items"]) == (None, [])


async def test_a_round_visited_twice_counts_once(followup: Followup, api: Api) -> None:
    matter = await followup.in_progress()
    await api.done(f"{matter}/handle", "L001", HANDLED)
    await api.done(f"{matter}/return-visit", "C001", {"reached": False})
    await api.done(f"{matter}/return-visit", "C001", {"reached": True, "solved": True})
    followup.now = town_time(2, 11)
    rates = (await api.get("/rates")).json()["rates"]
    assert rates["response"]["left_out"] == {"unreached": 0, "exempted": 0}
    assert (rates["reached"]["numerator"], rates["reached"]["denominator"]) == (1, 1)


async def test_a_period_that_cannot_be_is_a_problem(api: Api) -> None:
    for params in (
        {"from_": "2026-03-02", "to": "2026-03-01"},
        {"from_": "yesterday"},
        {"from_": "2026-03-02T00:00:00"},
        {"by": "weather"},
    ):
        assert (await api.get("/rates", **params)).status_code == 422, params


async def test_case_25_an_unescaped_plus_is_understood_and_an_escaped_one_too(api: Api) -> None:
    for at in ("2026-03-02T00:00:00 08:00", "2026-03-02T00:00:00+08:00"):
        found = await api.get("/rates", from_=at, to="2026-03-03")
        assert found.json()["from"] == "2026-03-01T16:00:00Z", found.text
        assert (await api.get("/matters", due_before=at)).status_code == 200
    answer = await api.get("/rates", from_="2026-03-02T00:00:00")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/query/from")
    assert "%2B" in error["detail"]


async def test_case_06_a_number_in_a_query_is_no_moment(api: Api) -> None:
    for params in ({"due_before": "1699491600"}, {"due_before": "20231109"}):
        answer = await api.get("/matters", **params)
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/query/due_before", "datetime_number")
    for name in ("from_", "to"):
        (error,) = (await api.get("/rates", **{name: "45239"})).json()["errors"]
        assert error["code"] == "datetime_number"


async def test_case_88_extreme_dates_and_nul_in_filters_are_refused(api: Api) -> None:
    for at in (
        "9999-12-31",
        "0001-01-01",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
    ):
        for name in ("from_", "to"):
            assert (await api.get("/rates", **{name: at})).status_code == 422
        assert (await api.get("/matters", due_before=at)).status_code == 422
    for name in ("q", "owner", "department", "uscc", "category", "park", "cursor"):
        answer = await api.get("/matters", **{name: "a\0b"})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (422, f"/query/{name}")
    assert (await api.get("/matters/%00")).status_code == 404
