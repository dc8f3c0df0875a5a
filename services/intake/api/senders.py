"""Checks who may submit what over HTTP, and under which source it is stored."""

from services.intake.domain import NotTheirs, not_theirs, own_source
from shared.auth.tokens import Principal, Tokens
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem


def from_sender(caller: Principal, submission: Submission) -> Submission:
    """Return the submission to store. Raises Problem 403 when the caller may not submit it."""
    sent = submission
    wrong = not_theirs((caller.role, caller.party), caller.sources, sent.requester.id, sent.source)
    if wrong is not None:
        raise foreign(wrong, caller)
    if caller.role is not Role.REQUESTER:
        return sent
    return sent.model_copy(update={"source": own_source(caller.party, sent.source)})


def foreign(wrong: NotTheirs, caller: Principal) -> Problem:
    """Return the 403 that names the submissions the caller may make."""
    params = {"party": caller.party, "allowed": ", ".join(caller.sources)}
    return Problem(403, wrong, params=params)


def is_for_staff(caller: Principal, tokens: Tokens) -> bool:
    """Return whether the caller is staff or speaks for staff; it gets no receipt issued to others."""
    if caller.role is Role.SYSTEM:
        return bool(tokens.spoken_for(caller.party))
    return caller.role is not Role.REQUESTER
