"""Erases the personal data of one request in each service, one transaction each; may be repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from uuid import UUID

from deploy.common.trouble import Trouble
from deploy.jobs.access import ACCESS
from deploy.jobs.migrations import FIRST_SERVICES, SERVICES
from deploy.local.launcher.report import Step, Tell
from deploy.operations.database import required_schemas, troubles
from shared.audit.erasure import ErasureRequest, heard, last_versions
from shared.runtime.ids import new_id
from shared.runtime.table_copy import Session, connect_to_copy

CLOSE_SECONDS = 5.0


async def erase(
    url: str, named: str, by: str, because: str, tell: Tell
) -> tuple[UUID, dict[str, dict[str, int]]]:
    """Erase the request with this id or receipt; return its id, and overwritten rows by service and table.

    What was erased before, all of it or in some services, is passed over. Raises Trouble, with nothing changed, when
    there is no such request, or when it is not at its end everywhere.
    """
    with troubles():
        conn = await connect_to_copy(url)
        try:
            known = await required_schemas(conn, "audit.nothing")
            # Intake first: it is what finds the request again when the others are still to be done.
            there = [service for service in SERVICES if service in known]
            request_id = await _found(conn, named)
            await _require_its_end(conn, str(request_id), there)
            erased = {
                service: await _erased(conn, service, str(request_id), by, because, tell)
                for service in there
            }
        finally:
            await conn.close(timeout=CLOSE_SECONDS)
    return request_id, erased


def _handlers() -> dict[str, ModuleType]:
    # Events' contracts come along with the handlers, for which no other command should wait.
    from services.desk.handlers import erasing as desk  # noqa: PLC0415
    from services.followup.handlers import erasing as followup  # noqa: PLC0415
    from services.intake.handlers import erasing as intake  # noqa: PLC0415
    from services.routing.handlers import erasing as routing  # noqa: PLC0415

    return {"intake": intake, "routing": routing, "desk": desk, "followup": followup}


async def _found(conn: Session, named: str) -> UUID:
    await conn.execute("set search_path = intake")
    found: UUID | None = await _handlers()["intake"].find(conn, named)
    if found is None:
        raise Trouble("erase.unknown", named=named)
    return found


async def _require_its_end(conn: Session, subject: str, services: Sequence[str]) -> None:
    recorded: dict[str, int] = {}
    taken: dict[str, dict[str, int]] = {}
    letters: list[str] = []
    for service in services:
        await conn.execute(f"set search_path = {service}")
        handlers = _handlers()[service]
        recorded |= await last_versions(conn, subject)
        taken[service] = await heard(conn, subject)
        letters += await handlers.hindered_by(conn, subject)
        if service == "followup" and await handlers.is_open(conn, subject):
            raise Trouble("erase.open", request=subject)
    if letters:
        raise Trouble("erase.letters", request=subject, letters=", ".join(letters))
    for service in FIRST_SERVICES:
        names = ACCESS[service].reads
        # What is still on its way would bring back what was erased; topics of strangers have nothing that was recorded.
        if late := [name for name in names if taken[service].get(name, 0) < recorded.get(name, 0)]:
            raise Trouble("erase.late", request=subject, service=service, topics=", ".join(late))


async def _erased(
    conn: Session, service: str, subject: str, by: str, because: str, tell: Tell
) -> dict[str, int]:
    tell(Step("erase", {"service": service}))
    handlers = _handlers()[service]
    asking = ErasureRequest(UUID(new_id()), subject, datetime.now(UTC), by, because)
    async with conn.transaction():
        await conn.execute(f"set local search_path = {service}")
        erased: dict[str, int] = await handlers.erase(conn, asking)
    return erased
