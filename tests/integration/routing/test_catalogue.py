"""Versions of the dispatch catalogue: drafts with their faults and warnings, activation, trials."""

import asyncio
import csv
import io

from openpyxl import Workbook

from shared.contracts.vocabulary import Kind
from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import CATALOGUE, registered

VERSIONS = "/routing/catalogue/versions"


async def test_a_draft_is_kept_with_its_warnings_in_any_encoding(routing: Routing, api: Api):
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        answer = await api.upload(VERSIONS, "coordinator", CATALOGUE.encode(encoding))
        assert answer.status_code == 201, answer.text
        draft = answer.json()
        assert draft["rules"] == 3
        assert [warning["code"] for warning in draft["warnings"]] == ["no_catch_all"]
        shown = (await api.get(f"{VERSIONS}/{draft['version']}", "operator")).json()
        assert (shown["state"], shown["source"]) == ("draft", CATALOGUE)


async def test_every_fault_has_its_row_and_column(routing: Routing, api: Api):
    bad = CATALOGUE.replace("D-FIRE", "D-NO").replace("重点", "特大").replace(",1,,", ",一,,")
    answer = await api.upload(VERSIONS, "coordinator", bad.encode())
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/3/主办部门", "unknown_department"),
        ("/4/企业层级", "unknown_label"),
        ("/4/签收时限(工作小时)", "not_a_number"),
    ]
    assert "D-NO" in answer.json()["errors"][0]["detail"]
    versions = (await api.get(VERSIONS, "coordinator")).json()["items"]
    assert [version["version"] for version in versions] == [1]


async def test_only_coordinators_change_it(routing: Routing, api: Api):
    for who in ("L001", "D-ROAD", "operator", "system"):
        assert (await api.upload(VERSIONS, who, CATALOGUE.encode())).status_code == 403
        assert (await api.post(f"{VERSIONS}/1/activate", who)).status_code == 403


async def test_one_version_is_in_force_and_an_older_one_can_be_again(routing: Routing, api: Api):
    await api.upload(VERSIONS, "coordinator", CATALOGUE.encode())

    async def states() -> list[str]:
        items = (await api.get(VERSIONS, "coordinator")).json()["items"]
        return [item["state"] for item in items]

    assert await states() == ["draft", "active"]
    for number, expected in ((2, ["active", "retired"]), (1, ["retired", "active"])):
        assert (await api.post(f"{VERSIONS}/{number}/activate", "coordinator")).status_code == 200
        assert await states() == expected
    assert (await api.post(f"{VERSIONS}/9/activate", "coordinator")).status_code == 404


async def test_versions_uploaded_and_activated_at_once_stay_in_order(routing: Routing, api: Api):
    answers = await asyncio.gather(
        *(api.upload(VERSIONS, "coordinator", CATALOGUE.encode()) for _ in range(4))
    )
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5]
    activated = await asyncio.gather(
        *(api.post(f"{VERSIONS}/{number}/activate", "coordinator") for number in range(2, 6))
    )
    assert [answer.status_code for answer in activated] == [200] * 4
    active = await routing.rows("select version from catalogue_version where state = 'active'")
    assert len(active) == 1


async def test_a_trial_says_what_would_change_and_changes_nothing(routing: Routing, api: Api):
    road = [registered() for _ in range(3)]
    fire = registered(category="安全生产/消防", kind=Kind.HAZARD)
    words = registered(category=None, summary="消防通道堵了", detail="。")
    await routing.take_requests(*road, fire, words)
    draft = CATALOGUE.replace("R01", "R11").replace("D-FIRE,,,特急", "D-POLICE,,,紧急")
    await api.upload(VERSIONS, "coordinator", draft.encode())
    trial = (await api.post(f"{VERSIONS}/2/trial", "coordinator")).json()
    assert (trial["tried"], trial["changed"], trial["unchanged"]) == (5, 1, 4)
    assert trial["by_rule"] == {"R11": 3, "R02": 1, "": 1}
    (change,) = trial["changes"]
    assert change["request_id"] == fire.subject
    assert change["changed"] == {
        "lead_department": {"before": "D-FIRE", "after": "D-POLICE"},
        "urgency": {"before": "emergency", "after": "urgent"},
        "accept_minutes": {"before": 30, "after": 120},
    }
    assert change["before"]["rule_id"] == "R02"
    assert (await routing.current(fire.subject))["catalogue_version"] == 1


async def test_a_trial_with_a_key_gives_its_first_result_again(routing: Routing, api: Api):
    await routing.take_requests(registered())
    path, key = f"{VERSIONS}/1/trial", {"idempotency-key": "once"}
    first = await api.post(path, "coordinator", headers=key)
    await routing.take_requests(registered())
    again = await api.post(path, "coordinator", headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    anew = (await api.post(path, "coordinator")).json()
    assert anew["tried"] == first.json()["tried"] + 1
    reused = await api.post(f"{VERSIONS}/1/activate", "coordinator", headers=key)
    assert reused.json()["type"].endswith(":idempotency_key_reused")
    for wrong in ("", "k" * 256):
        refused = await api.post(path, "coordinator", headers={"idempotency-key": wrong})
        assert refused.status_code == 400


async def test_a_trial_of_a_version_that_is_not_there(routing: Routing, api: Api):
    assert (await api.post(f"{VERSIONS}/9/trial", "coordinator")).status_code == 404


async def test_case_13_an_unclosed_quote_in_a_long_catalogue_is_refused_with_its_row(api: Api):
    rows = [f"R{number},D-ROAD,{'说明' * 20}" for number in range(2000)]
    rows[700] = 'R700,D-ROAD,"说明'
    raw = ("规则编号,主办部门,说明\r\n" + "\r\n".join(rows)).encode()
    answer = await api.upload(VERSIONS, "coordinator", raw)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, "/702", "unclosed_quote")


async def test_case_12_a_rule_with_more_cells_than_columns_is_refused(api: Api):
    bad = CATALOGUE.rstrip() + ",,,,,,,,,,,,,,多出的\r\n"
    answer = await api.upload(VERSIONS, "coordinator", bad.encode())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "extra_cells"


async def test_a_catalogue_in_another_form_is_kept_as_csv_and_decides_alike(
    routing: Routing, api: Api
):
    lines = list(csv.reader(io.StringIO(CATALOGUE)))
    book, file, other = Workbook(), io.BytesIO(), io.StringIO()
    for line in lines:
        book.active.append(line)
    book.save(file)
    csv.writer(other, delimiter=";").writerows(lines)
    for raw in (file.getvalue(), other.getvalue().encode("utf-16")):
        answer = await api.upload(VERSIONS, "coordinator", raw)
        assert answer.status_code == 201, answer.text
        version = answer.json()["version"]
        kept = (await api.get(f"{VERSIONS}/{version}", "operator")).json()["source"]
        assert [[cell for cell in line if cell] for line in csv.reader(io.StringIO(kept))] == [
            [cell for cell in line if cell] for line in lines
        ]
        assert (await api.post(f"{VERSIONS}/{version}/trial", "coordinator")).status_code == 200
