"""A matter in which a person's words stand everywhere is erased: no table of any service has one of them left."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.jobs.migrations import SERVICES as SCHEMAS
from deploy.operations.audit import verified
from services.intake.handlers import erasing
from shared.audit.erasure import ERASED, ErasureRequest
from shared.runtime.ids import new_id
from shared.tables.writing import as_csv
from tests.flow.commands import Operator
from tests.flow.processes import SERVICES, Stack
from tests.flow.town import Town

pytestmark = pytest.mark.timeout(300)

WORD, PHONE, IDENTITY, ADDRESS = "绝密", "000-5550-0177", "310117199001019876", "zzyzx-road-9"
"""Of each pair of characters of a summary the searches keep a copy: the word is one pair."""

NEEDLES = [
    written
    for needle in (WORD, PHONE, IDENTITY, ADDRESS)
    for written in (needle, json.dumps(needle).strip('"'), needle.encode().hex())
]
SELECT_TABLES = """
select schemaname || '.' || tablename from pg_tables where schemaname = any($1) order by 1"""


async def leftovers(url: str) -> dict[str, int]:
    """In how many rows of each table one of the words stands, in whatever column: as text, as JSON has it, as bytes."""
    conn = await asyncpg.connect(url)
    try:
        found = {}
        for (table,) in await conn.fetch(SELECT_TABLES, list(SERVICES)):
            count = await conn.fetchval(
                f"""select count(*) from {table} as line
                    where exists (select from unnest($1::text[]) as needle where strpos(line::text, needle) > 0)""",
                NEEDLES,
            )
            if count:
                found[table] = count
        return found
    finally:
        await conn.close()


def words(number: int) -> str:
    return f"{WORD}{number}"


class Case:
    """A resident's request with everything that may be written in one, and with company that has none of it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.sent = town.submission(
            requester={
                "kind": "resident",
                "id": IDENTITY,
                "name": words(1),
                "contact": {"name": words(2), "phone": PHONE},
            },
            summary=words(3),
            detail=words(4),
            location=words(5),
            attachments=[{"url": f"https://files.example/{ADDRESS}.jpg", "name": words(6)}],
        )
        self.matter = ""
        self.receipt = ""

    async def walk(self) -> None:
        """From its arrival to its end, with every word that a person can put in on the way."""
        answer = (await self.town.post(self.sent)).json()
        self.matter, self.receipt = answer["request_id"], answer["receipt"]
        await self.dispatched()
        await self.worked_on()
        await self.town.do("nobody", "POST", f"/intake/receipts/{self.receipt}/answer", ANSWER)
        await self.heard("matter.visited")
        await self.step("C001", "close")
        await self.step("C001", "reopen", cause="not_solved", reason=words(30))
        await self.taken_again()

    async def dispatched(self) -> None:
        offer = await self.town.offer_of(self.matter, "D-CON")
        decline = {"reason_code": "not_ours", "suggested_owner": "L001", "note": words(10)}
        await self.town.do("D-CON", "POST", f"/routing/offers/{offer}/decline", decline)
        found = await self.town.until(
            lambda: self.town.get("C001", "/routing/objections"), lambda found: found["items"]
        )
        ruling = {"ruling": "upheld", "note": words(11)}
        await self.town.do(
            "C001", "POST", f"/routing/objections/{found[0]['objection_id']}/ruling", ruling
        )
        await self.accepted()

    async def accepted(self) -> None:
        offer = await self.town.offer_of(self.matter, "L001")
        await self.town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})

    async def worked_on(self) -> None:
        soon = (datetime.now(UTC) + timedelta(days=20)).isoformat()
        await self.step("L001", "first-contact", note=words(12))
        message = {"message": words(13)}
        await self.town.do("nobody", "POST", f"/intake/receipts/{self.receipt}/messages", message)
        await self.heard("matter.amended")
        milestone = {"title": words(14), "owner_department": "D-CON", "due_at": soon}
        planned = await self.step("L001", "plan", milestones=[milestone])
        path = f"milestones/{planned['milestones'][0]['id']}"
        await self.step("D-CON", path, blocker=words(15))
        await self.step("D-CON", path, state="done", evidence=words(16))
        with_task = await self.step("L001", "tasks", department="D-CON", title=words(17))
        await self.step("D-CON", f"tasks/{with_task['tasks'][0]['id']}/done")
        await self.step("L001", "hold", reason=words(18), resume_at=soon)
        await self.step("L001", "resume")
        await self.step("L001", "shelve", reason=words(19), review_at=soon)
        await self.step("L001", "feedback", text=words(20))
        await self.step("L001", "resume")
        await self.step("C001", "join", title=words(21))
        await self.step("L001", "handle", outcome="resolved", answer=words(22), path="charted")

    async def taken_again(self) -> None:
        await self.accepted()
        await self.step("L001", "first-contact", note=words(31))
        await self.step("L001", "handle", outcome="explained", answer=words(32), path="instant")
        await self.step("C002", "return-visit", reached=True, solved=True, words=words(33))
        await self.step("C002", "close")
        await self.town.until(
            lambda: self.town.get("nobody", f"/intake/receipts/{self.receipt}"),
            lambda found: (found["state"], found["answer"]) == ("closed", words(32)),
        )

    async def step(self, who: str, name: str, **body: Any) -> Any:
        return await self.town.step(who, self.matter, name, **body)

    async def heard(self, kind: str) -> None:
        await self.town.until(
            lambda: self.town.history(self.matter),
            lambda found: [entry for entry in found if entry["type"] == kind],
        )

    async def in_files(self) -> None:
        """The same name once more with other words, and in a row that is faulty."""
        header = (
            "source_ref", "channel", "kind", "requester.kind", "requester.id", "requester.name",
            "summary", "detail",
        )  # fmt: skip
        row = (self.sent["source_ref"], "web", "help", "resident", IDENTITY, words(1))
        file = as_csv(header, [(*row, words(40), words(41)), (*row, words(42), "")])
        path = f"/intake/imports?source={self.sent['source']}"
        answer = await self.town.call("system", "POST", path, file.decode("utf-8-sig"))
        assert answer.status_code == 202, answer.text
        await self.town.until(
            lambda: self.town.get("system", answer.json()["status_url"]),
            lambda found: found if found["state"] == "done" else None,
        )

    async def on_kafka(self) -> None:
        """The same name in a message that nobody can read."""
        await self.town.send(json.dumps(self.sent, ensure_ascii=False).encode()[:-1])


ANSWER = {"solved": False, "satisfaction": 2, "words": words(23)}


@pytest.fixture
async def case(town: Town) -> Case:
    return Case(town)


async def test_a_person_is_erased_from_every_table(
    case: Case, town: Town, stack: Stack, tmp_path: Path
) -> None:
    url = stack.processes["intake"].environment["LIAISON_DATABASE_URL"]
    operator = Operator(stack.processes["intake"].environment, tmp_path / "data")
    company = (await town.post(town.submission())).json()["request_id"]
    await town.offered(company)
    await case.walk()
    await case.in_files()
    await case.on_kafka()
    before = await leftovers(url)
    assert before.keys() >= WHERE_IT_STANDS
    history = await town.history(case.matter)
    letters = await town.until(
        lambda: operator.run("dead-letters", "list", "--json"), lambda said: json.loads(said)
    )
    code, said = await operator.tried("erase", case.receipt, "--because", "asked to")
    assert (code, letters[0]["id"] in said) == (1, True), said
    assert await leftovers(url) == before
    await operator.run("dead-letters", "discard", letters[0]["id"], "--reason", "sent again")
    await begun_and_cut_off(url, case.matter)
    said = await operator.run("erase", case.receipt.lower(), "--because", "the holder asked to")
    assert "intake: there was nothing to erase" in said
    assert await leftovers(url) == {}
    await all_else_stays(case, town, history)
    said = await operator.run("erase", case.matter, "--because", "once more")
    assert said.count("there was nothing to erase") == len(SCHEMAS)
    await everything_fits(url, operator)
    sent = await operator.run("replay", "intake", "followup")
    assert "followup" in sent
    assert json.loads(await operator.run("dead-letters", "list", "--json")) == []
    assert await leftovers(url) == {}
    assert (await town.get("C001", f"/followup/matters/{company}"))["state"] == "offered"


WHERE_IT_STANDS = {
    "followup.event", "followup.idempotency", "followup.listing", "followup.matter", "followup.milestone",
    "followup.request", "intake.dead_letter", "intake.event", "intake.import_row", "intake.progress",
    "intake.request", "intake.timeline", "routing.event", "routing.matter", "routing.objection", "routing.offer",
}  # fmt: skip


async def begun_and_cut_off(url: str, matter: str) -> None:
    """What is left when the command was killed between two services."""
    conn = await asyncpg.connect(url, server_settings={"search_path": "intake"})
    async with conn.transaction():
        asked = ErasureRequest(
            UUID(new_id()), matter, datetime.now(UTC), "operator", "the holder asked to"
        )
        assert await erasing.erase(conn, asked)
    await conn.close()


async def all_else_stays(case: Case, town: Town, history: list[dict[str, Any]]) -> None:
    kept = ("version", "type", "at", "actor", "event_id")
    now = await town.history(case.matter)
    assert [[e.get(k) for k in kept] for e in now] == [[e.get(k) for k in kept] for e in history]
    receipt = await town.get("nobody", f"/intake/receipts/{case.receipt}")
    assert (receipt["state"], receipt["summary"], receipt["answer"]) == ("closed", ERASED, ERASED)
    matter = await town.get("C001", f"/followup/matters/{case.matter}")
    assert (matter["state"], matter["round"]) == ("closed", 2)
    found = await town.get("C001", f"/followup/matters?q={WORD}")
    assert found["items"] == []
    again = await town.post(case.sent)
    assert (again.status_code, again.json()["request_id"]) == (200, case.matter)


async def everything_fits(url: str, operator: Operator) -> None:
    """All is under a seal by and by, and right; the erasures are on record."""

    async def look() -> Any:
        return await verified(url, SERVICES, {}, lambda report: None)

    async with asyncio.timeout(90):
        while True:
            verdicts = await look()
            assert all(verdict.altered is None for verdict in verdicts.values())
            if not any(verdict.unsealed for verdict in verdicts.values()):
                break
            await asyncio.sleep(1)
    assert all(verdict.erased for verdict in verdicts.values())
    said = await operator.run("audit", "verify")
    assert said.count("✓") >= len(SERVICES)
    conn = await asyncpg.connect(url)
    for service in SERVICES:
        rows = await conn.fetch(f"select because from {service}.erasure")
        assert [row["because"] for row in rows] == ["the holder asked to"]
    await conn.close()


async def test_what_is_still_open_is_not_erased(town: Town, stack: Stack, tmp_path: Path) -> None:
    operator = Operator(stack.processes["intake"].environment, tmp_path / "data")
    taken = (await town.post(town.submission())).json()
    await town.in_state(taken["request_id"], "offered")
    code, said = await operator.tried("erase", taken["receipt"], "--because", "asked to")
    assert code == 1
    assert "still open" in said
    await town.do("nobody", "POST", f"/intake/receipts/{taken['receipt']}/withdraw", {})
    await town.in_state(taken["request_id"], "withdrawn")
    code, said = await operator.tried("erase", "NOSUCH-NOSUCH-NOSUCH-NOSUCH", "--because", "x")
    assert code == 1
    assert "No request" in said
