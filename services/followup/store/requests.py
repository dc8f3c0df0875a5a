"""Rows of the requests that opened matters; stored once and never changed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

import orjson

from services.followup.domain.facts import RequestingParty
from shared.contracts.fields.folding import compact, fold
from shared.contracts.vocabulary import Channel, Kind, RequesterKind, Urgency
from shared.runtime.database import Connection

LONGEST_TERMS: Final = 1024
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as intake registered it, without contacts."""

    matter_id: str
    source: str
    source_ref: str
    channel: Channel
    kind: Kind
    category: str | None
    requester: RequestingParty
    summary: str
    detail: str
    location: str | None
    urgency: Urgency
    occurred_at: datetime | None
    received_at: datetime
    attachments: tuple[str, ...] = ()


INSERT_REQUESTS = """
insert into request (matter_id, source, source_ref, channel, kind, category, requester_kind,
                     requester_id, requester_name, summary, detail, location, urgency, occurred_at,
                     received_at, attachments, terms, folded)
select given.matter_id, given.source, given.source_ref, given.channel, given.kind, given.category,
       given.requester_kind, given.requester_id, given.requester_name, given.summary, given.detail,
       given.location, given.urgency, given.occurred_at, given.received_at, given.attachments,
       string_to_array(given.terms, ' '), given.folded
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::timestamptz[], $15::timestamptz[], $16::json[], $17::text[], $18::text[])
     as given (matter_id, source, source_ref, channel, kind, category, requester_kind,
               requester_id, requester_name, summary, detail, location, urgency, occurred_at,
               received_at, attachments, terms, folded)"""


async def insert_requests(conn: Connection, requests: Sequence[Request]) -> None:
    """Insert new requests."""
    rows = [_row(request) for request in requests]
    await conn.execute(INSERT_REQUESTS, *([row[at] for row in rows] for at in range(len(rows[0]))))


def _row(request: Request) -> tuple[object, ...]:
    return (
        request.matter_id,
        request.source,
        request.source_ref,
        request.channel,
        request.kind,
        request.category,
        request.requester.kind,
        request.requester.id,
        request.requester.name,
        request.summary,
        request.detail,
        request.location,
        request.urgency,
        request.occurred_at,
        request.received_at,
        orjson.dumps(request.attachments).decode(),
        *_searched(UUID(request.matter_id), request.summary),
    )


def _searched(matter_id: UUID, summary: str) -> tuple[str, str]:
    """Return the columns of a search: what leads it and what is compared."""
    folded = compact(summary)
    return of_week(week_of(matter_id), terms_of(folded)), folded


SELECT_UNFOLDED = """
select matter_id, summary from request where folded is null
order by matter_id desc limit $1 for update skip locked"""

FOLD = """
update request set terms = string_to_array(given.terms, ' '), folded = given.folded
from unnest($1::uuid[], $2::text[], $3::text[]) as given (matter_id, terms, folded)
where request.matter_id = given.matter_id"""


async def fold_summaries(conn: Connection, limit: int) -> bool:
    """Fold summaries stored before folding existed, newest first; return whether there may be more."""
    rows = await conn.fetch(SELECT_UNFOLDED, limit)
    if rows:
        ids = [row["matter_id"] for row in rows]
        found = [_searched(row["matter_id"], row["summary"]) for row in rows]
        await conn.execute(FOLD, ids, [terms for terms, _ in found], [text for _, text in found])
    return len(rows) == limit


WEEK_MS: Final = 7 * 24 * 3600 * 1000


def week_of(matter_id: UUID) -> int:
    """Return the week since 1970 in which an id was drawn; weeks are in the order of ids."""
    return (matter_id.int >> 80) // WEEK_MS


def of_week(week: int, terms: Iterable[str]) -> str:
    """Return terms with their week's prefix, so that a search reads single weeks."""
    return " ".join(f"{week:04x}{term}" for term in terms)


SELECT_WEEKS = """
select (select matter_id from request order by matter_id limit 1) as oldest,
       (select matter_id from request order by matter_id desc limit 1) as newest"""


async def weeks_asked(conn: Connection) -> range:
    """Return the weeks from the first request to the last."""
    row = await conn.fetchrow(SELECT_WEEKS)
    if row is None or row["oldest"] is None:
        return range(0)
    return range(week_of(row["oldest"]), week_of(row["newest"]) + 1)


SETTLE_TERMS = "select gin_clean_pending_list('request_terms')"


async def merge_pending_terms(conn: Connection) -> None:
    """Merge the index's pending entries: a search reads all of them, once for each week."""
    await conn.execute(SETTLE_TERMS)


def words_of(text: str) -> list[str]:
    """Return the words to search for: runs of letters, digits and Chinese characters, folded."""
    return _WORD.findall(fold(text))


def terms_of(text: str) -> list[str]:
    """Return the pairs of neighbouring characters of each word, 1,024 at most; they find parts of words.

    Chinese has no spaces between words, and pairs need no dictionary.
    """
    terms = {first + second: None for word in words_of(text) for first, second in pairwise(word)}
    return list(terms)[:LONGEST_TERMS]


SELECT_REQUESTS = """
select matter_id, source, source_ref, channel, kind, category, requester_kind, requester_id,
       requester_name, summary, detail, location, urgency, occurred_at, received_at, attachments
from request where matter_id = any($1::uuid[]) order by matter_id"""


async def load_requests(conn: Connection, matter_ids: Sequence[UUID | str]) -> list[Request]:
    """Load the requests that opened these matters."""
    return [
        Request(
            str(row["matter_id"]),
            row["source"],
            row["source_ref"],
            Channel(row["channel"]),
            Kind(row["kind"]),
            row["category"],
            RequestingParty(
                RequesterKind(row["requester_kind"]), row["requester_id"], row["requester_name"]
            ),
            row["summary"],
            row["detail"],
            row["location"],
            Urgency(row["urgency"]),
            row["occurred_at"],
            row["received_at"],
            tuple(orjson.loads(row["attachments"])),
        )
        for row in await conn.fetch(SELECT_REQUESTS, matter_ids)
    ]
