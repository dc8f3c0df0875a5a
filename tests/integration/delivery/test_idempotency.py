"""A write over HTTP: once under its key, the same answer again, and nothing of a refusal."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request, Response

from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.http.problems import install
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse, forget_old_keys, if_match
from shared.runtime.database import Connection
from shared.runtime.errors import Problem
from tests.integration.delivery.town import Town

Work = Callable[[Connection], Awaitable[WriteResponse]]


class Desk:
    """An app of one address; what it does is set by the test, and each doing leaves a row."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.done = 0
        self.principal = Principal(Role.LIAISON, "L001")
        self.fault: Exception | None = None
        self.pause = 0.0

    async def work(self, conn: Connection) -> WriteResponse:
        await conn.execute("insert into known (subject) values ($1)", f"done {self.done}")
        self.done += 1
        await asyncio.sleep(self.pause)
        if self.fault is not None:
            raise self.fault
        body = {"done": self.done, "名": "值", "at": None, "rate": 0.1, "deep": {"a": [1, "\0"]}}
        return WriteResponse(201, body, {"etag": f'"{self.done}"', "location": "/x"})

    def app(self) -> FastAPI:
        app = FastAPI()
        install(app)

        @app.post("/do")
        @app.post("/other")
        async def do(request: Request) -> Response:
            return await idempotency.run(request, self.town.db, self.principal, self.work)

        @app.post("/match")
        async def match(request: Request) -> dict[str, Any]:
            found = if_match(request)
            return {"versions": None if found is None else sorted(found)}

        return app

    async def rows(self) -> int:
        return len(await self.town.fetch("select 1 from known"))


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(desk.app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def key(name: str) -> dict[str, str]:
    return {"idempotency-key": name}


async def test_without_a_key_each_call_is_a_call(desk: Desk, client: httpx.AsyncClient):
    answers = [await client.post("/do", json={}) for _ in range(2)]
    assert [answer.json()["done"] for answer in answers] == [1, 2]
    assert await desk.rows() == 2


async def test_the_same_key_and_body_get_the_same_answer(desk: Desk, client: httpx.AsyncClient):
    first = await client.post("/do", json={"a": 1}, headers=key("k"))
    again = await client.post("/do", json={"a": 1}, headers=key("k"))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"] == '"1"'
    assert again.headers["location"] == "/x"
    assert await desk.rows() == 1


async def test_the_same_key_with_another_body_or_path_is_refused(
    desk: Desk, client: httpx.AsyncClient
):
    await client.post("/do", json={"a": 1}, headers=key("k"))
    for path, body in (("/do", {"a": 2}), ("/other", {"a": 1})):
        answer = await client.post(path, json=body, headers=key("k"))
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:liaison:problem:idempotency_key_reused"
    assert await desk.rows() == 1


async def test_a_key_is_its_party_s_own(desk: Desk, client: httpx.AsyncClient):
    await client.post("/do", json={}, headers=key("k"))
    for principal in (Principal(Role.LIAISON, "L002"), Principal(Role.COORDINATOR, "L001")):
        desk.principal = principal
        assert (await client.post("/do", json={}, headers=key("k"))).status_code == 201
    assert await desk.rows() == 3


async def test_two_at_once_are_one(desk: Desk, client: httpx.AsyncClient):
    desk.pause = 0.2
    answers = await asyncio.gather(
        *(client.post("/do", json={}, headers=key("k")) for _ in range(5))
    )
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.status_code for answer in answers} == {201}
    assert await desk.rows() == 1


@pytest.mark.parametrize("fault", [Problem(409, "busy", params={"seconds": 1}), KeyError("x")])
async def test_a_refusal_or_an_error_keeps_nothing_and_frees_the_key(
    desk: Desk, client: httpx.AsyncClient, fault: Exception
):
    desk.fault = fault
    assert (await client.post("/do", json={}, headers=key("k"))).status_code in (409, 500)
    assert (await client.post("/do", json={})).status_code in (409, 500)
    assert await desk.rows() == 0
    desk.fault = None
    assert (await client.post("/do", json={}, headers=key("k"))).status_code == 201


async def test_who_waits_too_long_for_the_same_key_is_asked_to_come_again(
    desk: Desk, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    desk.pause = 1.5
    claim = "set local lock_timeout = '200ms'"
    slow = asyncio.create_task(client.post("/do", json={}, headers=key("k")))
    while not desk.done:
        await asyncio.sleep(0.01)
    transaction = desk.town.db.transaction

    class Short:
        def __init__(self) -> None:
            self.inner = transaction()

        async def __aenter__(self) -> Connection:
            conn = await self.inner.__aenter__()
            await conn.execute(claim)
            return conn

        async def __aexit__(self, *fault: Any) -> Any:
            return await self.inner.__aexit__(*fault)

    monkeypatch.setattr(desk.town.db, "transaction", Short)
    answer = await client.post("/do", json={}, headers=key("k"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert (await slow).status_code == 201
    assert await desk.rows() == 1


@pytest.mark.parametrize("headers", [{}, key("k")])
@pytest.mark.parametrize(("failures", "status"), [(2, 201), (3, 503)])
async def test_a_deadlock_is_tried_again_a_few_times(
    desk: Desk, client: httpx.AsyncClient, headers: dict[str, str], failures: int, status: int
):
    work = desk.work

    async def in_the_way(conn: Connection) -> WriteResponse:
        answer = await work(conn)
        if desk.done <= failures:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return answer

    desk.work = in_the_way  # type: ignore[method-assign]
    assert (await client.post("/do", json={}, headers=headers)).status_code == status
    assert desk.done == 3
    assert await desk.rows() == (1 if status == 201 else 0)


async def test_a_key_has_a_length(desk: Desk, client: httpx.AsyncClient):
    assert (await client.post("/do", headers=key("k" * 255))).status_code == 201
    for name in ("k" * 256, ""):
        answer = await client.post("/do", headers=key(name))
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:liaison:problem:bad_idempotency_key"


async def test_old_keys_are_forgotten(desk: Desk, client: httpx.AsyncClient):
    await client.post("/do", json={}, headers=key("old"))
    await client.post("/do", json={}, headers=key("new"))
    await desk.town.execute(
        "update idempotency set at = now() - interval '8 days' where key = 'old'"
    )
    async with desk.town.db.transaction() as conn:
        await forget_old_keys(conn)
    assert [row["key"] for row in await desk.town.fetch("select key from idempotency")] == ["new"]


@pytest.mark.parametrize(
    ("written", "versions"),
    [
        ('"7"', [7]),
        ("7", [7]),
        # Weak tags and tags of nothing here match no version (RFC 9110, 13.1.1): an answer of 412.
        ('W/"7"', []),
        ('"a"', []),
        ('"9999999999"', []),
        (' "7" ', [7]),
        ('"0"', [0]),
        ('"7", "8-gzip"', [7, 8]),
        ('"999999999"', [999_999_999]),
        ("*", None),
        (None, None),
    ],
)
async def test_case_23_if_match_lists_versions(
    client: httpx.AsyncClient, written: str | None, versions: list[int] | None
):
    headers = {} if written is None else {"if-match": written}
    assert (await client.post("/match", headers=headers)).json() == {"versions": versions}


async def test_case_23_lines_of_if_match_are_one_list(client: httpx.AsyncClient):
    headers = [("if-match", '"7"'), ("if-match", '"8-br"')]
    assert (await client.post("/match", headers=headers)).json() == {"versions": [7, 8]}


@pytest.mark.parametrize("written", ['"7', '7"', '""7""', "", "-7", "7.0", "w/7 8", '*, "7"'])
async def test_if_match_that_is_no_list_of_tags_is_an_error(
    client: httpx.AsyncClient, written: str
):
    answer = await client.post("/match", headers={"if-match": written})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:liaison:problem:bad_if_match"


CHANGES = {
    "query": {"params": {"source": "https://other.example"}},
    "repeated query": {"params": [("a", "1"), ("a", "2")]},
    "body": {"content": b"other"},
    "type": {"headers": {"content-type": "text/csv"}},
    "version": {"headers": {"if-match": '"3"'}},
    "path": {"url": "/other"},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_case_21_a_key_stands_for_all_that_shapes_the_work(
    desk: Desk, client: httpx.AsyncClient, change: str
):
    first = await client.post("/do", headers=key("one"), content=b"body")
    assert first.status_code == 201
    changed = {"url": "/do", "content": b"body"} | CHANGES[change]
    changed["headers"] = key("one") | changed.get("headers", {})
    answer = await client.post(**changed)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:liaison:problem:idempotency_key_reused"
    again = await client.post("/do?lang=en", headers=key("one"), content=b"body")
    assert (again.status_code, again.json()) == (201, first.json())
    assert desk.done == 1


async def test_the_order_of_a_query_shapes_nothing(desk: Desk, client: httpx.AsyncClient):
    first = await client.post("/do?a=1&b=2", headers=key("one"))
    assert (await client.post("/do?b=2&a=1", headers=key("one"))).json() == first.json()
    assert desk.done == 1


async def test_a_key_of_the_version_before_goes_on_counting(desk: Desk, client: httpx.AsyncClient):
    await client.post("/do", headers=key("old"), content=b"body")
    as_before = hashlib.sha256(b"\0".join((b"POST", b"/do", b"body"))).digest()
    await desk.town.execute("update idempotency set fingerprint = $1", as_before)
    assert (await client.post("/do", headers=key("old"), content=b"body")).status_code == 201
    assert (await client.post("/do", headers=key("old"), content=b"other")).status_code == 422
    assert desk.done == 1


@pytest.mark.parametrize("written", ["", "a" * 256, "é", "a\tb", "键", "a b"], ids=ascii)
async def test_a_key_that_is_none_is_400_by_name(
    desk: Desk, client: httpx.AsyncClient, written: str
):
    keys = written.split(" ")
    answer = await client.post("/do", headers=[(b"idempotency-key", k.encode()) for k in keys])
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:liaison:problem:bad_idempotency_key"
    assert desk.done == 0


async def test_if_match_takes_no_digits_of_other_scripts(client: httpx.AsyncClient):
    headers = [(b"if-match", "٣".encode())]
    assert (await client.post("/match", headers=headers)).status_code == 400
