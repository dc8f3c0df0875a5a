"""Steps that end a round or begin another: handle, return visit, close, reopen, reject."""

from typing import Annotated, Final

from services.followup.api.steps.entry import Body, deciding, entry, handled_by
from services.followup.domain.steps import resolution
from services.followup.handlers import steps
from services.followup.handlers.steps import Decide, Independent
from shared.contracts.events.requests import Satisfaction
from shared.contracts.fields.types import WHOLE, Line, Words
from shared.contracts.vocabulary import Outcome, Path, ReopenCause
from shared.http.writes.steps import StepOperation, StepRequest


class HandleBody(Body):
    """What came of it, and the answer for the requester."""

    outcome: Outcome
    answer: Words
    path: Path | None = None


class ReturnVisitBody(Body):
    """What the requester said. Somebody reached says at least whether it is solved; `answered` is true unless said."""

    reached: bool
    answered: bool | None = None
    solved: bool | None = None
    satisfaction: Annotated[Satisfaction, WHOLE] | None = None
    words: Words | None = None


class CloseBody(Body):
    """Without an answered return visit an exemption says why none was needed."""

    exemption: Words | None = None


class ReopenBody(Body):
    """Why another round begins."""

    cause: ReopenCause
    reason: Words


class RejectBody(Body):
    """Why it is not ours, and the lawful channel for it."""

    reason: Words
    channel: Line


def _handle(wanted: StepRequest) -> Decide:
    body: HandleBody = wanted.body
    step = resolution.Handle(body.outcome, body.answer, body.path)
    return lambda matter, moment: resolution.handle(matter, step, moment)


def _return_visit(wanted: StepRequest) -> Independent:
    body: ReturnVisitBody = wanted.body
    return resolution.ReturnVisit(
        body.reached, body.answered, body.solved, body.satisfaction, body.words
    )


def _close(wanted: StepRequest) -> Independent:
    return resolution.Close(wanted.body.exemption if wanted.body else None)


def _reopen(wanted: StepRequest) -> Decide:
    step = resolution.Reopen(wanted.body.cause, wanted.body.reason)
    return lambda matter, moment: resolution.reopen(matter, step, moment)


def _reject(wanted: StepRequest) -> resolution.Reject:
    return resolution.Reject(wanted.body.reason, wanted.body.channel)


STEPS: Final = (
    entry(
        "handle",
        "handle",
        StepOperation(
            "handleMatter",
            "Say what came of it",
            "办结: the answer for the requester; the return visit is due next. Straight after acceptance: 立即解决.",
        ),
        deciding(_handle),
        HandleBody,
    ),
    entry(
        "return-visit",
        "visit",
        StepOperation(
            "recordReturnVisit",
            "Record a return visit",
            "回访: by somebody who did none of the work; a content requester settles the matter.",
        ),
        handled_by(steps.independent_step, _return_visit),
        ReturnVisitBody,
    ),
    entry(
        "close",
        "close",
        StepOperation(
            "closeMatter",
            "Settle it",
            "销号: by a coordinator, after an answered return visit or with a named exemption.",
        ),
        handled_by(steps.independent_step, _close),
        CloseBody,
        optional=True,
    ),
    entry(
        "reopen",
        "reopen",
        StepOperation(
            "reopenMatter",
            "Begin another round",
            "重办: within 15 days of closing, or when the return visit found the requester not content.",
        ),
        deciding(_reopen),
        ReopenBody,
    ),
    entry(
        "reject",
        "reject",
        StepOperation(
            "rejectMatter",
            "Say that it is not ours to take",
            "不予受理: before anybody took it, with the reason and the lawful channel.",
        ),
        handled_by(steps.reject, _reject),
        RejectBody,
    ),
)
