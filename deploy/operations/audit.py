"""Verifies each service's hash chain, and writes the latest seals to an anchor file that is stored elsewhere."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.common.folder import write_json
from deploy.common.trouble import Trouble
from deploy.local.launcher.report import Progress, Step, Tell
from deploy.operations.database import required_schemas, troubles
from shared.audit.rows import RowLink, verify_rows
from shared.audit.verification import Altered, Anchor, ChainReport, verify
from shared.delivery.outbox.republish import head
from shared.runtime.table_copy import Session, one_transaction

FORMAT = 1
TABLES = {"followup": ("tally",)}
"""Tables beside the histories that are sealed: what the rates count."""


async def verified(
    url: str, services: Sequence[str], anchors: Mapping[str, Anchor], tell: Tell
) -> dict[str, ChainReport]:
    """Return the result of verifying each service's chain, all in one snapshot.

    Raises Trouble when the database holds no Liaison or is away.
    """
    verdicts = {}
    with troubles():
        async with one_transaction(url, readonly=True) as conn:
            there = await required_schemas(conn, "audit.nothing")
            for service in services:
                if service not in there:
                    continue
                tell(Step("audit", {"service": service}))
                await conn.execute(f"set local search_path = {service}")
                events = await head(conn)

                def progress(done: int, of: int = events) -> None:
                    tell(Progress(done, of, is_bytes=False))

                anchor = anchors.get(service)
                verdict = verdicts[service] = await verify(conn, anchor, progress)
                await verify_tables(conn, service, anchor, verdict)
    return verdicts


async def verify_tables(
    conn: Session, service: str, anchor: Anchor | None, verdict: ChainReport
) -> None:
    """Verify the chains of the service's other sealed tables, if its history is unaltered."""
    for table in TABLES.get(service, ()):
        kept = anchor.rows.get(table) if anchor else None
        try:
            if verdict.altered is None:
                link = await verify_rows(
                    conn, table, RowLink(kept[0], 0, kept[1]) if kept else None
                )
                verdict.rows[table] = (link.number, link.digest)
        except Altered as altered:
            verdict.altered = altered


def write_anchor(file: Path, verdicts: Mapping[str, ChainReport]) -> None:
    """Write the latest seal of each service to a file. Raises Trouble when the file cannot be written."""
    seals = {
        service: {
            "number": verdict.last.number,
            "digest": verdict.last.digest.hex(),
            **({"whole": verdict.last.whole.hex()} if verdict.last.whole else {}),
            "rows": {
                table: [number, digest.hex()] for table, (number, digest) in verdict.rows.items()
            },
        }
        for service, verdict in verdicts.items()
    }
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        write_json(file, {"format": FORMAT, "made_at": made_at, "seals": seals})
    except OSError as fault:
        raise Trouble("anchor.unwritable", file=file, reason=fault) from fault


def read_anchors(file: Path) -> dict[str, Anchor]:
    """Return the seals in an anchor file. Raises Trouble when it is missing or something else."""
    try:
        content = json.loads(file.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(content["format"])
        return {
            service: Anchor(
                int(seal["number"]),
                bytes.fromhex(seal["digest"]),
                bytes.fromhex(seal["whole"]) if "whole" in seal else None,
                {
                    table: (int(number), bytes.fromhex(digest))
                    for table, (number, digest) in seal.get("rows", {}).items()
                },
            )
            for service, seal in content["seals"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Trouble("anchor.unreadable", file=file, reason=fault) from fault
