"""A submission on its way in: read from its envelope, given its sender, and answered."""

from services.intake.api.senders import from_sender
from services.intake.domain import Registered
from services.intake.handlers.registration import Arrival
from shared.auth.tokens import Principal
from shared.contracts.events.event import Actor
from shared.contracts.submission import Submission


def arrival_of(
    submission: Submission, caller: Principal, traceparent: str, for_staff: bool
) -> Arrival:
    """What is registered for the caller. Raises Problem 403 when it is not for the caller to submit."""
    actor = Actor(role=caller.role, party=caller.party)
    return Arrival(from_sender(caller, submission), actor, None, traceparent, for_staff)


def answer_to(result: Registered) -> dict[str, str]:
    """The answer to what was registered now or before."""
    return {
        "request_id": result.request_id,
        "receipt": result.receipt,
        "status_url": f"/intake/receipts/{result.receipt}",
    }
