"""Compares what was acknowledged with what each database and each topic holds; it trusts neither and shares no code."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from tests.faults import queries
from tests.faults.journal import Journal
from tests.faults.topics import MARK, TopicReader
from tests.faults.town import Town

POLL_SECONDS = 0.25
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0


@dataclass(slots=True)
class Finding:
    """What is wrong, each kind counted, with words for a person; all zero is right."""

    acked: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    disordered: Counter[str] = field(default_factory=Counter)
    stuck: Counter[str] = field(default_factory=Counter)
    seconds: float | None = None

    @property
    def bad(self) -> bool:
        return any(kind.total() for kind in (self.lost, self.doubled, self.disordered, self.stuck))

    def words(self) -> list[str]:
        """Every finding as a line."""
        kinds = ("lost", "doubled", "disordered", "stuck")
        return [
            f"{kind}: {count} {what}"
            for kind in kinds
            for what, count in getattr(self, kind).items()
            if count
        ]


@dataclass(slots=True)
class Checker:
    """The state of a check that goes on for a whole run; `check` when everything is at rest."""

    url: str
    town: Town
    journal: Journal
    reader: TopicReader
    poison: dict[str, Collection[str]] = field(default_factory=dict)
    """Which services must have a dead letter of each mark."""
    maybe: set[str] = field(default_factory=set)
    """Marks of records that were sent and perhaps never arrived."""
    ids: dict[int, UUID] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=lambda: dict.fromkeys(queries.SERVICES, 0))
    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(queries.NOT_TAKEN, 0))
    checked: int = 0
    told: Counter[str] = field(default_factory=Counter)

    async def until_current(self, begun: float, limit: float) -> float | None:
        """Wait until all that was acknowledged has gone all the way; the seconds since `begun`, None after `limit`."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                if await asyncio.wait_for(self._is_current(), CONNECT_SECONDS * 3):
                    return time.monotonic() - begun
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                pass  # The database is on its way back.
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def _is_current(self) -> bool:
        conn = await self._connect()
        try:
            numbers = self.journal.order[self.checked :]
            if await self._find(conn, numbers):
                return False
            ids = [self.ids[number] for number in numbers]
            if await queries.not_current(conn, ids):
                return False
            for name, place in self.taken.items():
                if await conn.fetchval(queries.NOT_TAKEN[name], place):
                    return False
            return not await conn.fetchval(queries.STUCK["letters that wait for their turn"])
        finally:
            await conn.close(timeout=CONNECT_SECONDS)

    async def missing(self) -> list[int]:
        """Submissions that were acknowledged and that intake has not got, or not yet."""
        conn = await self._connect()
        try:
            return await self._find(conn, self.journal.order[self.checked :])
        finally:
            await conn.close(timeout=CONNECT_SECONDS)

    async def check(self, *, whole: bool = False) -> Finding:
        """Everything that must hold now, of what was acknowledged since the last time, or of the `whole` run."""
        finding = Finding(acked=len(self.journal.acked))
        conn = await self._connect()
        try:
            numbers = self.journal.order[0 if whole else self.checked :]
            await self._check_requests(conn, numbers, finding)
            await self._check_events(conn, finding, whole)
            await self._check_rest(conn, finding)
            await self._check_letters(conn, finding)
        finally:
            await conn.close(timeout=CONNECT_SECONDS)
        self._check_words(finding)
        self.checked = len(self.journal.order)
        return finding

    async def _connect(self) -> queries.Session:
        return await asyncpg.connect(self.url, timeout=CONNECT_SECONDS, command_timeout=120)

    async def _find(self, conn: queries.Session, numbers: Sequence[int]) -> list[int]:
        """Learn the ids of these submissions; those that are not there."""
        asked = [number for number in numbers if number not in self.ids]
        found = await queries.find_requests(conn, [self.town.name(number) for number in asked])
        for number, request_id in zip(asked, found, strict=True):
            if request_id is not None:
                self.ids[number] = request_id
        return [number for number in asked if number not in self.ids]

    async def _check_requests(
        self, conn: queries.Session, numbers: Sequence[int], finding: Finding
    ) -> None:
        missing = await self._find(conn, numbers)
        finding.lost["acknowledged and not in intake"] = len(missing)
        # What was never answered may be there; then it must be there as a whole.
        unanswered = sorted(self.journal.unknown)
        await self._find(conn, unanswered)
        there = [number for number in (*numbers, *unanswered) if number in self.ids]
        ids = [self.ids[number] for number in there]
        for what, query in queries.LOST.items():
            finding.lost[what] = await conn.fetchval(query, ids)
        for what, query in queries.DOUBLED.items():
            finding.doubled[what] = await conn.fetchval(query)
        for number in there:
            told, said = self.journal.acked.get(number), self.ids[number]
            if told is not None and told != str(said):
                finding.doubled["answered with another id"] += 1
            count = self.reader.registered[self.town.name(number)]
            finding.lost["never said to be registered"] += count == 0
            finding.doubled["said to be registered twice"] += max(0, count - 1)

    async def _check_events(self, conn: queries.Session, finding: Finding, whole: bool) -> None:
        for service in queries.SERVICES:
            after = 0 if whole else self.places[service]
            ids, last = await queries.new_events(conn, service, after)
            await self._until_read(ids)
            finding.lost[f"{service}'s events that no topic has"] = len(self.reader.missing(ids))
            for name, writer in queries.WRITERS.items():
                if writer == service:
                    finding.stuck[name] = await conn.fetchval(queries.NOT_TAKEN[name], after)
                    self.taken[name] = last
            self.places[service] = last
        finding.disordered["histories with gaps"] = await queries.gaps(conn) if whole else 0
        self._count_new(finding.disordered, "on topics", len(self.reader.disordered))
        self._count_new(finding.doubled, "effects on topics", len(self.reader.doubled))
        for what in self.journal.wrong[self.told["wrong answers"] :]:
            finding.doubled[f"wrong answer: {what}"] += 1
        self.told["wrong answers"] = len(self.journal.wrong)

    async def _until_read(self, ids: Sequence[UUID]) -> None:
        """The reader may be a moment behind what the databases say that Kafka has."""
        begun = time.monotonic()
        while time.monotonic() - begun < READ_SECONDS and self.reader.missing(ids):
            if await self.reader.caught_up():
                break
            await asyncio.sleep(POLL_SECONDS)

    def _count_new(self, kind: Counter[str], what: str, total: int) -> None:
        kind[what] = total - self.told[what]
        self.told[what] = total

    async def _check_rest(self, conn: queries.Session, finding: Finding) -> None:
        for what, query in queries.STUCK.items():
            finding.stuck[what] = await conn.fetchval(query)

    async def _check_letters(self, conn: queries.Session, finding: Finding) -> None:
        found: Counter[tuple[str, str]] = Counter()
        for letter in await queries.letters(conn, MARK):
            if letter.mark in self.maybe - self.poison.keys():
                continue
            if letter.mark is None or letter.mark not in self.poison:
                finding.stuck[f"{letter.service} set aside: {letter.reason}"] += 1
            else:
                found[letter.service, letter.mark] += 1
        for mark, services in self.poison.items():
            for service in services:
                count = found.pop((service, mark), 0)
                finding.lost["poison that nobody kept"] += count == 0
                finding.doubled["poison kept twice"] += max(0, count - 1)
        finding.doubled["poison kept by those whom it does not concern"] = len(found)

    def _check_words(self, finding: Finding) -> None:
        worded = self.reader.worded
        for words, outcome in self.journal.steps.items():
            told = worded["matter.fed_back", words] + worded["request.amended", words]
            heard = worded["matter.fed_back", words] + worded["matter.amended", words]
            if outcome == "acked":
                finding.lost["steps of people"] += told == 0 or heard == 0
            if outcome == "refused":
                finding.doubled["steps that were refused and taken"] += told
            finding.doubled["steps of people"] += max(0, told - 1) + max(0, heard - 1)
        for source_ref in self.journal.refused:
            finding.lost["refusals that no sender was told"] += (
                self.reader.rejected[source_ref] == 0
            )
