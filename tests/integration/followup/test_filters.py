"""Filters of lists: who `me` is, and values that can match nothing."""

from datetime import timedelta

from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import MONDAY, OFFICE
from tests.integration.followup.test_reading import listed
from tests.support.described import document


async def test_case_24_me_is_the_caller(followup: Followup, api: Api) -> None:
    mine = await followup.in_progress(summary="园区道路积水")
    for who, owned in (("L001", [mine]), ("D-FIRE", []), ("C001", [])):
        assert await listed(api, who, owner="me") == owned
    answer = await api.get("/matters", "O001", owner="me")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/owner"


async def test_case_24_a_filter_that_can_match_nothing_is_named(api: Api) -> None:
    wrong = {"uscc": "xxx", "owner": "L 001", "department": "路桥", "overdue": "perhaps"}
    for name, value in wrong.items():
        answer = await api.get("/matters", **{name: value})
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}"]
    answer = await api.get("/wall-chart", department="路 桥")
    assert answer.json()["errors"][0]["pointer"] == "/query/department"


IMPOSSIBLE = ("", "   ", "\u200b", "\u3164\u2060", "a\u0007b", "x" * 201)


async def test_parks_and_categories_that_cannot_be_are_named(api: Api) -> None:
    asking = [("/matters", "park"), ("/matters", "category"), ("/wall-chart", "park")]
    for path, name in asking:
        for value in IMPOSSIBLE:
            answer = await api.get(path, **{name: value})
            assert answer.status_code == 422, (path, name, value)
            assert [each["pointer"] for each in answer.json()["errors"]] == [f"/query/{name}"]
    for value in ("/", "企业服务/", "a//b", "1/2/3/4/5/6"):
        answer = await api.get("/matters", category=value)
        (error,) = answer.json()["errors"]
        assert error["code"] == "string_pattern_mismatch"
        assert "企业服务/政策咨询" in error["detail"]
    for value in ("\u200b\u200b", "\u3164\u3164"):
        answer = await api.get("/matters", q=value)
        assert answer.json()["errors"][0]["pointer"] == "/query/q"


ENTER = """
insert into party (id, kind, name) values
  ('L001', 'liaison', '甲'), ('D-ROAD', 'department', '道路科'), ('D-FIRE', 'department', '消防')"""


async def test_case_24_a_party_that_is_not_there_is_named(followup: Followup, api: Api) -> None:
    """On every route of followup whose query names a party; nothing is refused before the directory was heard."""
    routes = [
        (path.removeprefix("/followup"), parameter["name"])
        for path, methods in document()["paths"].items()
        if path.startswith("/followup") and "get" in methods
        for parameter in methods["get"].get("parameters", ())
        if parameter["in"] == "query" and parameter["name"] in ("owner", "department")
    ]
    assert len(routes) == 3
    for path, name in routes:
        assert (await api.get(path, **{name: "D-NOPE"})).status_code == 200
    await followup.db.pool.execute(ENTER)
    for path, name in routes:
        for party in ("D-NOPE", "l001", "d-road", "ME", "C001"):
            answer = await api.get(path, **{name: party})
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["code"]) == (422, "unknown_party")
            assert error["pointer"] == f"/query/{name}"
            assert party in error["detail"]
        assert (await api.get(path, **{name: "Ｄ-ＲＯＡＤ"})).status_code == 200
    for path in ("/matters", "/wall-chart"):
        answer = await api.get(path, department="L001")
        assert answer.json()["errors"][0]["code"] == "not_a_department"
    for owner in ("me", "L001", OFFICE.desk):
        assert (await api.get("/matters", owner=owner)).status_code == 200


async def test_of_two_bounds_on_what_is_due_the_earlier_counts(
    followup: Followup, api: Api
) -> None:
    matter = await followup.in_progress(summary="园区道路积水")
    followup.now = MONDAY + timedelta(days=60)
    bounds = {"2026-01-01T00:00:00Z": [], "2199-01-01T00:00:00Z": [matter]}
    for due_before, found in bounds.items():
        assert await listed(api, overdue="true", due_before=due_before) == found
    assert await listed(api, overdue="true") == [matter]
