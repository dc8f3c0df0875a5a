"""What PostgreSQL does for a statement: the plan that it keeps for every argument, and the rows that it reads by it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from shared.runtime.database import Connection


@dataclass(frozen=True)
class Plan:
    """A statement's plan, explained while it was done."""

    root: Mapping[str, Any]

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        return list(_nodes(self.root))

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def read_off(self) -> set[str]:
        """The indexes that answer without the table's rows."""
        return {n["Index Name"] for n in self.nodes if n["Node Type"] == "Index Only Scan"}

    @property
    def read_whole(self) -> set[str]:
        """The tables that are read from their beginning."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}

    @property
    def rows_read(self) -> float:
        """The rows that came out of tables and indexes, those that were passed over among them."""
        return sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in self.nodes
            if "Relation Name" in node and node["Node Type"] != "ModifyTable"
        )


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def plan_of(conn: Connection, statement: str, *arguments: object) -> Plan:
    """The plan of a statement, which is done; it knows none of its arguments, as after many calls."""
    await conn.execute("set plan_cache_mode = force_generic_plan")
    found = await conn.fetchval(f"explain (analyze, format json) {statement}", *arguments)
    return Plan(orjson.loads(found)[0]["Plan"])
