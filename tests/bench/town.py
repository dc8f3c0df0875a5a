"""The town of the benchmarks: 2,000 enterprises, 200 liaisons, 50 rules of the sample town's catalogue, its requests.

The same for the same numbers. It is put into routing by COPY, for a measurement is not about how it got there.
"""

import csv
import io
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.contracts.cloudevents import SUBMITTED_TYPE
from shared.contracts.fields import uscc
from shared.contracts.topics import MAX_MESSAGE_BYTES

FILES = Path(__file__).parents[2] / "deploy" / "sample_town" / "data"
RULES = 50
SMALL_CAPACITY = 25
AMPLE_CAPACITY = 1_000_000
FIRST_DAY = date(2024, 1, 1)
FIRST_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
AT_ONCE = 2000


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((FILES / name).read_text("utf-8-sig"))))


@dataclass(frozen=True)
class Town:
    """Every tenth liaison is soon at capacity, and every third enterprise has a deputy."""

    enterprises: int = 2000
    liaisons: int = 200

    @cached_property
    def departments(self) -> list[tuple[str, str, str]]:
        """Id, name and phone."""
        return [(row["id"], row["name"], row["phone_desk"]) for row in _rows("departments.csv")]

    @cached_property
    def firms(self) -> list[tuple[str, str, str, str, str]]:
        """Code, name, park, industry and tier, on the pattern of the sample town's."""
        sample = _rows("enterprises.csv")
        found = []
        for number in range(self.enterprises):
            like = sample[number % len(sample)]
            body = f"91990117MA2{number:06d}"
            code = body + uscc.check_character(body)
            name = f"{like['name'][:-4]}{number}{like['name'][-4:]}"
            found.append((code, name, like["park"], like["industry"], like["tier"]))
        return found

    @cached_property
    def catalogue(self) -> str:
        """Fifty of the sample town's rules, from the first to the last, in their order."""
        head, *rules = (FILES / "catalogue.csv").read_text("utf-8-sig").strip().splitlines()
        kept = (rules[number * len(rules) // RULES] for number in range(RULES))
        return "\n".join((head, *kept)) + "\n"

    def staff(self) -> list[tuple[str, str, str, int]]:
        """Id, name, department and capacity of the liaisons."""
        desks = self.departments
        return [
            (
                f"L{number:03d}",
                f"专员{number}",
                desks[number % len(desks)][0],
                AMPLE_CAPACITY if number % 10 else SMALL_CAPACITY,
            )
            for number in range(self.liaisons)
        ]

    def ties(self) -> list[tuple[str, str, str, str, date, str]]:
        """Each enterprise's primary liaison, and the next one as every third's deputy."""
        found = []
        for number, (code, *_) in enumerate(self.firms):
            for role, after in (("primary", 0), ("deputy", 1))[: 1 if number % 3 else 2]:
                liaison = f"L{(number + after) % self.liaisons:03d}"
                tie = (f"T{after}-{number}", code, liaison, role, FIRST_DAY, "结对服务")
                found.append(tie)
        return found

    async def settle_in(self, url: str) -> None:
        """Put the directory and the catalogue into routing's schema, which is empty."""
        staff = self.staff()
        parties = [(key, "department", name) for key, name, _ in self.departments]
        parties += [(key, "liaison", name) for key, name, _, _ in staff]
        queues = [(key, kind != "liaison") for key, kind, _ in parties]
        tables: list[tuple[str, str, list[Any]]] = [
            ("party", "id kind name", parties),
            ("queue", "party is_desk", queues),
            ("department", "id phone_desk", [(key, phone) for key, _, phone in self.departments]),
            ("liaison", "id department_id capacity", [(key, desk, n) for key, _, desk, n in staff]),
            ("enterprise", "uscc name park industry tier", self.firms),
            ("tie", "id uscc liaison_id role from_on reason", self.ties()),
        ]
        conn = await asyncpg.connect(url, server_settings={"search_path": "routing"})
        try:
            for table, columns, rows in tables:
                await conn.copy_records_to_table(table, records=rows, columns=columns.split())
            await conn.execute(
                "insert into catalogue_version (version, state, source, rules, warnings,"
                " created_at, created_by) values (1, 'active', $1, $2, '[]', $3, 'C001')",
                self.catalogue,
                RULES,
                FIRST_MOMENT,
            )
            await conn.execute("analyze " + ", ".join(table for table, _, _ in tables))
        finally:
            await conn.close()

    @cached_property
    def _asked(self) -> list[dict[str, Any]]:
        lines = (FILES / "requests.jsonl").read_text("utf-8-sig").splitlines()
        return [json.loads(line)["submission"] for line in lines if line.strip()]

    def submissions(self, count: int, run: str) -> Iterator[dict[str, Any]]:
        """`count` submissions, half of them without a category, so that keywords decide; `run` tells runs apart."""
        chance = random.Random(run)  # noqa: S311 - reproducible
        for number in range(count):
            asked = dict(chance.choice(self._asked))
            code, name, *_ = chance.choice(self.firms)
            contact = asked["requester"].get("contact")
            asked["requester"] = {"kind": "enterprise", "id": code, "name": name}
            if contact:
                asked["requester"]["contact"] = contact
            if number % 2:
                asked.pop("category", None)
            yield asked | {"source_ref": f"{run}-{number}"}


async def send(bootstrap: str, topic: str, submissions: Iterator[dict[str, Any]]) -> None:
    """Put submissions on a topic as a sending system does: CloudEvents in the binary binding, a key each."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=256 * 1024,
        max_request_size=MAX_MESSAGE_BYTES // 2,
    )
    await producer.start()
    try:
        futures = []
        for sent in submissions:
            futures.append(
                await producer.send(
                    topic,
                    value=json.dumps(sent, ensure_ascii=False).encode(),
                    key=sent["source_ref"].encode(),
                    headers=_headers(sent["source"]),
                )
            )
            if len(futures) >= AT_ONCE:
                for future in futures:
                    await future
                futures.clear()
        for future in futures:
            await future
    finally:
        await producer.stop()


def _headers(source: str) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(uuid.uuid4()).encode()),
        ("ce_source", source.encode()),
        ("ce_type", SUBMITTED_TYPE.encode()),
        ("content-type", b"application/json"),
    ]
