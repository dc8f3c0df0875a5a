"""No statement reads a growing table whole, whatever PostgreSQL believed of its size when it planned the statement."""

import importlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import asyncpg
import orjson
import pytest

import shared.audit
import shared.rescheduling
from shared.runtime.database import SESSION_PLANS, Connection
from tests.integration.grown import grow, growing_tables, make_ready
from tests.integration.test_sql import SERVICES, shared_statements, statements_of

# The directory's parties, what has one row or one for each party, version or kind, and what only faults add to.
FIXED = {
    "catalogue_version",
    "department",
    "disagreement",
    "feed_forgotten",
    "feed_head",
    "liaison",
    "lost_records",
    "migration",
    "party",
    "queue",
    "reconciliation",
}
# Partial indexes of what waits for somebody: they may be read whole, for it is few.
OF_FEW = {
    "dead_letter_fates",
    "dead_letter_waiting",
    "dead_letter_waiting_age",
    "import_row_with_words",
    "objection_review",
    "rescheduling_open",
}
WHOLE_ON_PURPOSE = {
    "services.desk.store.accounts.SELECT_ACCOUNTS": "an operator lists all accounts",
    "services.intake.store.receipts.DELETE_PROGRESS": "all of it is learned anew",
    "services.intake.store.receipts.DELETE_TIMELINE": "all of it is learned anew",
    "shared.delivery.inbox.relearning.FORGET_CLAIMS": "all of a topic is learned anew",
    "shared.delivery.inbox.relearning.FORGET_SEEN": "all of a topic is learned anew",
    "shared.delivery.outbox.republish.SEND_AGAIN": "an operator sends a history again",
    "shared.audit.verification.COUNT_UNSEALED": "all that is sealed was read before",
    "shared.audit.rows.BEFORE_ALL": "all that is sealed was read before",
    "shared.audit.erasure.ERASE_ANSWERS": "an erasure looks into the answers of 7 days",
    "services.routing.store.catalogues.LOAD_PARKS": "the parks are those of all enterprises",
    "services.routing.store.directory.listing.SELECT_PARKS": "the parks are those of all enterprises",
}
# PostgreSQL cannot know how much these ranges and filters leave: an index leads because sessions prefer one.
LED_BY_SESSION = {
    "services.desk.store.accounts.DELETE_OLD_PENDING",
    "services.desk.store.sessions.DELETE_LINKS",
    "services.desk.store.sessions.DELETE_SESSIONS",
    "services.routing.store.directory.listing.LIST_ENTERPRISES",
    "services.routing.store.directory.listing.LIST_TIES",
    "services.routing.store.directory.town.LOAD_AWAY",
}
# What comes out of these only when all has come in: a limit above them ends nothing below.
GATHERS = {"Aggregate", "Hash", "Sort"}


def statements_for(service: str) -> dict[str, str]:
    """All statements that a service can do, by name."""
    packages = [importlib.import_module(f"services.{service}.store")]
    packages += [shared.rescheduling] if service in ("routing", "followup") else []
    packages += [shared.audit] if service == "followup" else []
    found = shared_statements()
    for package in packages:
        found |= statements_of(package)
    return {name: text.replace("{table}", "tally") for name, text in found.items()}


def whole_in(
    plan: Mapping[str, Any], owners: Mapping[str, str], limited: bool = False
) -> Iterator[str]:
    """The growing tables and indexes that a plan reads whole; `owners` are the growing tables by their indexes.

    An index in whose order a limited number of rows is read is not read whole.
    """
    kind, index = plan["Node Type"], plan.get("Index Name")
    if kind == "Seq Scan" and plan["Relation Name"] in owners.values():
        yield plan["Relation Name"]
    if index in owners and index not in OF_FEW and not limited and "Index Cond" not in plan:
        yield index
    for child in plan.get("Plans", ()):
        is_of_rows = child["Parent Relationship"] in ("Outer", "Inner", "Member", "Subquery")
        ends = (limited or kind == "Limit") and kind not in GATHERS
        yield from whole_in(child, owners, is_of_rows and ends)


class Prepared:
    """The statements of a service, prepared in one session that keeps a plan for any arguments."""

    def __init__(
        self, conn: Connection, calls: Mapping[str, str], owners: Mapping[str, str]
    ) -> None:
        self._conn = conn
        self._calls = calls
        self._owners = owners

    async def read_whole(self) -> dict[str, list[str]]:
        """What each statement reads whole by the plan that it has now; those that read nothing whole are left out."""
        found = {}
        for name, call in self._calls.items():
            plan = orjson.loads(await self._conn.fetchval(f"explain (format json) {call}"))[0][
                "Plan"
            ]
            if whole := sorted(whole_in(plan, self._owners)):
                found[name] = whole
        return found


SELECT_OWNERS = """
select indexname, tablename from pg_indexes
where schemaname = current_schema() and tablename = any($1::text[])"""
COUNT_PARAMETERS = "select cardinality(parameter_types) from pg_prepared_statements where name = $1"


async def prepare(conn: Connection, service: str, growing: set[str]) -> Prepared:
    await conn.execute("set plan_cache_mode = force_generic_plan")
    calls = {}
    for number, (name, statement) in enumerate(statements_for(service).items()):
        await conn.execute(f"prepare statement_{number} as {statement}")
        count = await conn.fetchval(COUNT_PARAMETERS, f"statement_{number}")
        nulls = f"({', '.join(['null'] * count)})" if count else ""
        calls[name] = f"execute statement_{number}{nulls}"
    owners = dict(map(tuple, await conn.fetch(SELECT_OWNERS, list(growing))))
    return Prepared(conn, calls, owners)


async def session(url: str, service: str, settings: Mapping[str, str]) -> Connection:
    return await asyncpg.connect(url, server_settings={"search_path": service, **settings})


@pytest.mark.parametrize("service", SERVICES)
async def test_no_growing_table_is_read_whole_without_statistics(database_url: str, service: str):
    """Planned while all was empty, in a session of the service; and with all rows there, in any session."""
    served = await session(database_url, service, SESSION_PLANS)
    growing = await growing_tables(served, FIXED)
    await make_ready(served, growing)
    young = await prepare(served, service, growing)
    before = await young.read_whole()
    await grow(served, growing)
    # The plans are kept: nothing but statistics, which nobody gathers here, would discard them.
    assert await young.read_whole() == before
    plain = await session(database_url, service, {})
    now = await (await prepare(plain, service, growing)).read_whole()
    await plain.close()
    await served.close()
    assert without(before, WHOLE_ON_PURPOSE) == {}
    assert without(now, {*WHOLE_ON_PURPOSE, *LED_BY_SESSION}) == {}
    excused = {*WHOLE_ON_PURPOSE, *LED_BY_SESSION} & set(statements_for(service))
    assert excused <= set(before) | set(now), "no excuse is needed any more"


def without(found: Mapping[str, list[str]], excused: Collection[str]) -> dict[str, list[str]]:
    return {name: whole for name, whole in found.items() if name not in excused}


@pytest.mark.parametrize(
    "statement",
    [
        "select * from event where data::text = 'x'",
        "select id from event where seq in (select seq from outbox) order by seq",
        "update inbox set topic = 'x' from event where event.id = inbox.event_id",
        "select count(*) from (select from outbox order by seq) as pending",
        "select subject from seen where held",
    ],
)
async def test_what_is_read_whole_is_found(database_url: str, statement: str):
    conn = await session(database_url, "intake", SESSION_PLANS)
    growing = await growing_tables(conn, FIXED)
    owners = dict(map(tuple, await conn.fetch(SELECT_OWNERS, list(growing))))
    plan = orjson.loads(await conn.fetchval(f"explain (format json) {statement}"))[0]["Plan"]
    await conn.close()
    assert list(whole_in(plan, owners))
