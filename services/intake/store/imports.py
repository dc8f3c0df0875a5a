"""The SQL of imported files and their rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.intake.domain import RowOutcome
from shared.runtime.database import Connection

ROWS_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new row: the submission's JSON when it is valid, else its errors."""

    number: int
    cells: Sequence[str]
    submission: str | None
    errors: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class NewImport:
    """A new file with its sender and rows; `digest` identifies the same file."""

    id: UUID
    role: str
    party: str
    digest: bytes
    header: Sequence[str]
    created_at: datetime
    rows: Sequence[NewRow]


INSERT_IMPORT = """
insert into import (id, role, party, digest, header, created_at) values ($1, $2, $3, $4, $5, $6)
on conflict on constraint import_file do nothing returning id"""


async def insert_import(conn: Connection, new: NewImport) -> bool:
    """Insert the file without its rows; return False when this party has sent it before."""
    args = (
        new.id,
        new.role,
        new.party,
        new.digest,
        orjson.dumps(new.header).decode(),
        new.created_at,
    )
    return await conn.fetchval(INSERT_IMPORT, *args) is not None


SELECT_SAME = "select id from import where party = $1 and digest = $2"


async def find_same(conn: Connection, party: str, digest: bytes) -> UUID | None:
    """Return the import of the same file by the same party."""
    found: UUID | None = await conn.fetchval(SELECT_SAME, party, digest)
    return found


INSERT_ROWS = """
insert into import_row (import_id, number, cells, submission, outcome, errors)
select $1, given.number, given.cells, given.submission,
       case when given.submission is null then 'faulty' else 'pending' end, given.errors
from unnest($2::int[], $3::json[], $4::json[], $5::json[])
     as given (number, cells, submission, errors)"""


async def insert_rows(conn: Connection, import_id: UUID, rows: Sequence[NewRow]) -> None:
    """Insert rows: valid ones as pending, the others as faulty."""
    # Ten thousand rows in one go would hold the event loop for a tenth of a second and more.
    for at in range(0, len(rows), ROWS_AT_ONCE):
        await _insert_some(conn, import_id, rows[at : at + ROWS_AT_ONCE])


async def _insert_some(conn: Connection, import_id: UUID, rows: Sequence[NewRow]) -> None:
    await conn.execute(
        INSERT_ROWS,
        import_id,
        [row.number for row in rows],
        [orjson.dumps(row.cells).decode() for row in rows],
        [row.submission for row in rows],
        [orjson.dumps(row.errors).decode() for row in rows],
    )


@dataclass(frozen=True, slots=True)
class Pending:
    """A pending row, with the sender of its file."""

    import_id: UUID
    number: int
    submission: str
    role: str
    party: str


LOCK_PENDING = """
select row.import_id, row.number, row.submission, import.role, import.party
from import_row as row join import on import.id = row.import_id
where row.outcome = 'pending'
order by row.import_id, row.number limit $1 for update of row skip locked"""


async def lock_pending(conn: Connection, limit: int) -> list[Pending]:
    """Return the next pending rows, oldest file first, locked; rows locked by another replica are skipped."""
    return [Pending(*row.values()) for row in await conn.fetch(LOCK_PENDING, limit)]


@dataclass(frozen=True, slots=True)
class RowResult:
    """The outcome of a row."""

    import_id: UUID
    number: int
    outcome: RowOutcome
    request_id: UUID | None = None
    errors: Sequence[Mapping[str, str]] = ()


# What was taken is in the request; the file's own copy, a contact in it, is dropped. The outcome is compared as an
# expression, so that no plan reads the index of all pending rows for each batch: the key leads to each row.
SETTLE_ROWS = """
update import_row as row
set outcome = given.outcome, request_id = given.request_id, errors = given.errors, submission = null,
    cells = case when given.outcome in ('taken', 'repeated') then null else row.cells end
from unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::json[])
     as given (import_id, number, outcome, request_id, errors)
where row.import_id = given.import_id and row.number = given.number and row.outcome || '' = 'pending'"""


async def store_results(conn: Connection, settled: Sequence[RowResult]) -> None:
    """Store the outcomes of rows."""
    await conn.execute(
        SETTLE_ROWS,
        [row.import_id for row in settled],
        [row.number for row in settled],
        [row.outcome for row in settled],
        [row.request_id for row in settled],
        [orjson.dumps(row.errors).decode() for row in settled],
    )


@dataclass(frozen=True, slots=True)
class Import:
    """A file with the number of its rows by outcome."""

    id: UUID
    party: str
    header: tuple[str, ...]
    created_at: datetime
    counts: Mapping[RowOutcome, int]


SELECT_IMPORT = "select id, party, header, created_at from import where id = $1"
COUNT_ROWS = "select outcome, count(*) from import_row where import_id = $1 group by outcome"


async def load_import(conn: Connection, import_id: UUID) -> Import | None:
    """Return a file with its progress; None when there is none."""
    row = await conn.fetchrow(SELECT_IMPORT, import_id)
    if row is None:
        return None
    counted = await conn.fetch(COUNT_ROWS, import_id)
    counts = {RowOutcome(each["outcome"]): each["count"] for each in counted}
    # By the standard library, here and below: what was stored before may hold escapes that orjson refuses.
    header = tuple(json.loads(row["header"]))
    return Import(row["id"], row["party"], header, row["created_at"], counts)


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its outcome."""

    number: int
    outcome: RowOutcome
    request_id: UUID | None
    receipt: str | None
    errors: list[dict[str, Any]]
    cells: tuple[str, ...] | None
    issued_to: str | None = None


SELECT_ROWS = """
select row.number, row.outcome, row.request_id, request.receipt, row.errors, row.cells,
       request.submitted_by
from import_row as row
left join request on request.id = row.request_id and row.outcome in ('taken', 'repeated')
where row.import_id = $1 and row.number > $2 and ($4::text[] is null or row.outcome = any($4))
order by row.number limit $3"""


async def load_rows(
    conn: Connection,
    import_id: UUID,
    after: int,
    limit: int,
    outcomes: Sequence[RowOutcome] | None = None,
) -> list[Row]:
    """Return up to `limit` rows after the row `after`, only of these `outcomes` if given."""
    rows = await conn.fetch(SELECT_ROWS, import_id, after, limit, outcomes)
    return [
        Row(
            row["number"],
            RowOutcome(row["outcome"]),
            row["request_id"],
            row["receipt"],
            json.loads(row["errors"]),
            tuple(json.loads(row["cells"])) if row["cells"] is not None else None,
            row["submitted_by"],
        )
        for row in rows
    ]


FORGET_IMPORTS = """
delete from import where id in (select id from import where created_at < $1 order by created_at limit 10)"""


async def forget_imports(conn: Connection, before: datetime) -> bool:
    """Delete files older than that, ten at most; return whether there may be more."""
    done: str = await conn.execute(FORGET_IMPORTS, before)
    return done == "DELETE 10"
