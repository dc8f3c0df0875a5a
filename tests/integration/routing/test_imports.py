"""The directory as files: all rows or none, faults by row and column, the sample town's own files."""

from pathlib import Path

import pytest

from tests.integration.routing.conftest import Api, Routing
from tests.integration.routing.samples import FIRM, registered

TOWN = Path(__file__).parents[3] / "deploy" / "town"
IMPORTS = "/routing/directory/imports?kind="


async def test_the_sample_town_is_entered_twice_with_the_same_end(api: Api):
    for again in (False, True):
        for kind in ("departments", "liaisons", "enterprises", "ties", "absences"):
            raw = (TOWN / f"{kind}.csv").read_bytes()
            answer = await api.upload(IMPORTS + kind, "coordinator", raw)
            assert answer.status_code == 200, answer.text
            counts = answer.json()
            assert counts["rows"] == counts["created"] + counts["changed"] + counts["unchanged"]
            assert counts["created"] == (0 if again else counts["rows"])
    raw = (TOWN / "catalogue.csv").read_bytes()
    answer = await api.upload("/routing/catalogue/versions", "coordinator", raw)
    assert answer.status_code == 201, answer.text


async def test_either_encoding(routing: Routing, api: Api):
    text = "id,name\r\nD-新,某科\r\n".replace("新", "NEW")
    for encoding in ("utf-8-sig", "gb18030"):
        answer = await api.upload(IMPORTS + "departments", "coordinator", text.encode(encoding))
        assert answer.status_code == 200
    assert (await routing.rows("select name from party where id = 'D-NEW'"))[0]["name"] == "某科"


async def test_what_is_wrong_is_named_and_no_row_is_kept(routing: Routing, api: Api):
    raw = "id,name,department_id,capacity\r\nL8,某,D-ROAD,3\r\n\r\nL9,,D-ROAD,many\r\n"
    answer = await api.upload(IMPORTS + "liaisons", "coordinator", raw.encode())
    assert answer.status_code == 422
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/4/name", "/4/capacity"}
    raw = "id,name,department_id\r\nL8,某,D-ROAD\r\nL9,某,D-NO\r\n"
    answer = await api.upload(IMPORTS + "liaisons", "coordinator", raw.encode())
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/3/department_id", "unknown_reference")
    assert not await routing.rows("select 1 from party where id in ('L8', 'L9')")


async def test_two_primaries_in_one_file(routing: Routing, api: Api):
    raw = f"id,uscc,liaison_id,from\r\nT8,{FIRM},L003,2026-01-01\r\n"
    answer = await api.upload(IMPORTS + "ties", "coordinator", raw.encode())
    assert answer.json()["errors"][0]["code"] == "primary_overlap"


async def test_absences_in_a_file_pass_on_what_is_offered(routing: Routing, api: Api):
    request = registered()
    await routing.take_requests(request)
    raw = b"liaison_id,id,from,until,deputy_id\r\nL001,A1,+0d,+3d,L003\r\n"
    assert (await api.upload(IMPORTS + "absences", "coordinator", raw)).status_code == 200
    assert (await routing.current(request.subject))["party"] == "L003"


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "empty"), (b"id,name\r\n", "empty"), (b"\xff\xfe\x81", "encoding")]
)
async def test_a_file_that_is_none(api: Api, raw: bytes, code: str):
    answer = await api.upload(IMPORTS + "departments", "coordinator", raw)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_only_a_coordinator_imports(api: Api):
    for who in ("L001", "D-ROAD", "operator", "system"):
        assert (await api.upload(IMPORTS + "departments", who, b"id,name\r\n")).status_code == 403
