"""Records that Kafka deleted before a service had read them, over all services."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from deploy.common.trouble import Trouble
from deploy.operations.letters import of_all
from shared.delivery.kafka.losses import acknowledge, list_losses


async def listed(url: str, *, acknowledged: bool) -> list[dict[str, Any]]:
    """Return the losses of all services, newest first. Raises Trouble when the database is unreachable."""
    found = await of_all(url, lambda conn: list_losses(conn, acknowledged=acknowledged))
    losses = [{"service": name, **loss} for name, some in found.items() for loss in some]
    return sorted(losses, key=lambda loss: loss["found_at"], reverse=True)


async def acknowledged(url: str, ids: Sequence[UUID], by: str, because: str) -> int:
    """Acknowledge losses, all of them without ids; return their number. Raises Trouble for an unknown id."""
    found = await of_all(url, lambda conn: acknowledge(conn, ids, by, because))
    done = [each for some in found.values() for each in some]
    if missing := set(ids) - set(done):
        raise Trouble("lost.unknown", loss=", ".join(sorted(str(each) for each in missing)))
    return len(done)
