"""Whether the services' own word on what they can do is true while a fault lasts."""

from collections.abc import Collection

from tests.faults.stand import Stand

TOLD_SECONDS = 12.0


async def told_not_ready(
    stand: Stand, lasted: float, how: str, names: Collection[str] | None = None
) -> None:
    """What cannot work says so, all replicas or those of `names`; what lasts for less than 12 s may go unseen."""
    if lasted < TOLD_SECONDS:
        return
    lying = set(await stand.replicas.say_ready()) & set(names or _wanted(stand))
    if lying:
        stand.load.journal.complain(f"ready {how}: {', '.join(sorted(lying))}")


def _wanted(stand: Stand) -> list[str]:
    return [replica.name for replica in stand.replicas.all if replica.wanted]
