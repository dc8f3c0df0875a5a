"""How offers are answered and objections are ruled, in a word each."""

from datetime import timedelta

from services.routing.domain.answers import Declination
from services.routing.domain.moment import Acting
from services.routing.handlers.commands.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.commands.outcomes import Done
from services.routing.handlers.commands.rulings import GivenRuling, rule_objection
from shared.contracts.vocabulary import (
    DeclineReason,
    Role,
    Ruling,
)
from tests.integration.routing.conftest import Routing
from tests.integration.routing.samples import (
    MONDAY,
    registered,
)

LATER = MONDAY + timedelta(minutes=10)
L001 = Acting(Role.LIAISON, "L001")
C001 = Acting(Role.COORDINATOR, "C001")
NOT_OURS = Declination(DeclineReason.NOT_OURS)
BETTER = Declination(DeclineReason.NOT_MY_ENTERPRISE, suggested_owner="L003", note="归丙管")


async def accept(routing: Routing, offer_id: object, acting: Acting = L001, at=LATER, version=None):
    async with routing.db.transaction() as conn:
        versions = None if version is None else frozenset({version})
        answering = Answering(str(offer_id), acting, versions)
        return await accept_offer(conn, routing.office, answering, at)


async def decline(
    routing: Routing, offer_id, declination=NOT_OURS, acting: Acting = L001, at=LATER
):
    async with routing.db.transaction() as conn:
        answering = Answering(str(offer_id), acting)
        return await decline_offer(conn, routing.office, answering, declination, at)


async def rule(routing: Routing, objection_id: str, ruling: Ruling, at=LATER):
    async with routing.db.transaction() as conn:
        given = GivenRuling(objection_id, ruling, C001, "已核")
        return await rule_objection(conn, routing.office, given, at)


async def offered(routing: Routing, **changes) -> tuple[str, str]:
    """A matter that was offered to somebody: its id and the offer's."""
    request = registered(**changes)
    await routing.take_requests(request)
    return request.subject, str((await routing.current(request.subject))["id"])


async def objected(routing: Routing) -> tuple[str, str]:
    matter_id, offer_id = await offered(routing)
    done = await decline(routing, offer_id, BETTER)
    assert isinstance(done, Done)
    assert done.objection is not None
    return matter_id, done.objection.id
