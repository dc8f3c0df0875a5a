"""A submission from its envelope to the response: its sender is checked, then it is answered."""

from services.intake.api.senders import from_sender
from services.intake.domain import Registered
from services.intake.handlers.registration import Arrival
from shared.auth.tokens import Principal
from shared.contracts.events.event import Actor
from shared.contracts.submission import Submission


def arrival_of(
    submission: Submission, caller: Principal, traceparent: str, for_staff: bool
) -> Arrival:
    """Return the submission to register for the caller. Raises Problem 403 when the caller may not submit it."""
    actor = Actor(role=caller.role, party=caller.party)
    return Arrival(from_sender(caller, submission), actor, None, traceparent, for_staff)


def answer_to(result: Registered) -> dict[str, str]:
    """Return the response to a submission registered now or before."""
    return {
        "request_id": result.request_id,
        "receipt": result.receipt,
        "status_url": f"/intake/receipts/{result.receipt}",
    }
