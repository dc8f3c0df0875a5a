"""Commands of the dispatch catalogue: store a draft, activate a version, try one on past requests."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from services.routing.catalogue.sheet import Faulty, Known, Remark, check_table
from services.routing.catalogue.table import Catalogue
from services.routing.domain.dispatching import Dispatched
from services.routing.handlers.office import Office
from services.routing.store import catalogues, trials
from services.routing.store.trials import Past
from shared.runtime.database import Connection, Database
from shared.tables.table import TableData

TRIAL_LIMIT: Final = 10_000
TRIAL_PAGE: Final = 500
MOST_CHANGES_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Added:
    """A stored draft."""

    version: int
    rules: int
    warnings: tuple[Remark, ...]


Adding: TypeAlias = Added | Faulty


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """An uploaded file, and the table read from it."""

    raw: bytes
    table: TableData


async def add_version(conn: Connection, file: CatalogueFile, author: str, now: datetime) -> Adding:
    """Store a valid file as a draft; return all faults of an invalid one."""
    await catalogues.lock_versions(conn)
    known = Known(
        frozenset(await catalogues.load_departments(conn)),
        frozenset(await catalogues.load_parks(conn)),
    )
    sheet = await asyncio.to_thread(check_table, file.table, file.raw, known)
    if isinstance(sheet, Faulty):
        return sheet
    kept = [remark_fields(remark) for remark in sheet.warnings]
    version = await catalogues.insert_version(conn, sheet.text, len(sheet.rules), kept, now, author)
    return Added(version, len(sheet.rules), sheet.warnings)


def remark_fields(remark: Remark) -> dict[str, Any]:
    """Return a remark in its stored form."""
    return {
        "code": remark.code,
        "row": remark.row,
        "column": remark.column,
        "found": remark.found,
    }


async def activate_version(conn: Connection, version: int, by: str, now: datetime) -> bool:
    """Activate a version and retire the one before; return False when there is no such version.

    An earlier version can be put in force again. Every replica reads it with its next batch.
    """
    await catalogues.lock_versions(conn)
    if await catalogues.load_version(conn, version) is None:
        return False
    await catalogues.retire_active(conn, version)
    await catalogues.activate(conn, version, now, by)
    return True


@dataclass(frozen=True, slots=True)
class Difference:
    """A past request that another version would dispatch differently."""

    past: Past
    after: Dispatched


@dataclass(slots=True)
class Trial:
    """What a version would change in past requests, with the newest 200 changes."""

    version: int
    tried: int = 0
    changed: int = 0
    unruled: int = 0
    differences: list[Difference] = field(default_factory=list)
    by_rule: dict[str, int] = field(default_factory=dict)


async def try_version(db: Database, office: Office, version: int) -> Trial | None:
    """Evaluate a version for the newest 10,000 requests and compare; None when there is no such version.

    Changes nothing. Reads in pages, so that neither a connection nor the event loop is held for long.
    """
    async with db.reading() as conn:
        if await catalogues.load_version(conn, version) is None:
            return None
        catalogue = await office.catalogue.compiled(conn, version)
    trial = Trial(version)
    before = trials.NEWEST
    for _ in range(TRIAL_LIMIT // TRIAL_PAGE):
        async with db.reading() as conn:
            page = await trials.load_past(conn, before, TRIAL_PAGE)
        for past in page:
            _compare(trial, past, catalogue)
        if len(page) < TRIAL_PAGE:
            break
        before = page[-1].matter_id
        await asyncio.sleep(0)
    return trial


def _compare(trial: Trial, past: Past, catalogue: Catalogue) -> None:
    after = catalogue.dispatch(past.facts)
    trial.tried += 1
    rule = after.rule_id or ""
    trial.by_rule[rule] = trial.by_rule.get(rule, 0) + 1
    trial.unruled += after.rule_id is None
    # Another version's number is no change, nor is another rule that says the same.
    same = replace(
        past.dispatched, catalogue_version=after.catalogue_version, rule_id=after.rule_id
    )
    if same != after:
        trial.changed += 1
        if len(trial.differences) < MOST_CHANGES_SHOWN:
            trial.differences.append(Difference(past, after))


def changes_of(difference: Difference) -> Mapping[str, tuple[Any, Any]]:
    """Return the differing fields with both values."""
    before, after = difference.past.dispatched, difference.after
    pairs = {
        name: (getattr(before, name), getattr(after, name))
        for name in (
            "rule_id", "category", "lead_department", "co_departments", "urgency",
            "difficulty", "accept_minutes", "handle_days",
        )
    }  # fmt: skip
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
