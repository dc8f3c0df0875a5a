"""Steps that stop, move or set aside the clocks: hold, resume, extend, shelve."""

from typing import Final

from services.followup.api.steps.entry import Body, deciding, entry
from services.followup.domain.steps import work
from services.followup.handlers.steps import Decide
from shared.contracts.fields.types import Moment, Words
from shared.contracts.vocabulary import ClockKind
from shared.http.writes.steps import StepOperation, StepRequest


class HoldBody(Body):
    """What the requester is waited for, until when at the latest."""

    reason: Words
    resume_at: Moment


class EmptyBody(Body):
    """A step that needs no words."""


class ExtendBody(Body):
    """A later limit for one clock."""

    clock: ClockKind
    new_due_at: Moment
    reason: Words


class ShelveBody(Body):
    """Why it goes on the long-term list, and when it is looked at again."""

    reason: Words
    review_at: Moment


def _hold(wanted: StepRequest) -> Decide:
    step = work.HoldOn(wanted.body.reason, wanted.body.resume_at)
    return lambda matter, moment: work.hold(matter, step, moment)


def _resume(_: StepRequest) -> Decide:
    return lambda matter, moment: work.resume(matter, work.Resume(), moment)


def _extend(wanted: StepRequest) -> Decide:
    body: ExtendBody = wanted.body
    step = work.Extend(body.clock, body.new_due_at, body.reason)
    return lambda matter, moment: work.extend(matter, step, moment)


def _shelve(wanted: StepRequest) -> Decide:
    step = work.PutOnShelf(wanted.body.reason, wanted.body.review_at)
    return lambda matter, moment: work.shelve(matter, step, moment)


STEPS: Final = (
    entry(
        "hold",
        "hold",
        StepOperation(
            "holdMatter",
            "Wait for the requester",
            "挂起: clocks pause, until `resume_at` at the latest.",
        ),
        deciding(_hold),
        HoldBody,
    ),
    entry(
        "resume",
        "resume",
        StepOperation(
            "resumeMatter", "Go on", "恢复办理: after a hold, or off the long-term list."
        ),
        deciding(_resume),
        EmptyBody,
        optional=True,
    ),
    entry(
        "extend",
        "extend",
        StepOperation(
            "extendLimit",
            "Move a limit",
            "延期: by 30 days at most without leave; the old limit, the reason and the approver stay on record.",
        ),
        deciding(_extend),
        ExtendBody,
    ),
    entry(
        "shelve",
        "shelve",
        StepOperation(
            "shelveMatter", "Put it on the long-term list", "挂账: looked at again by `review_at`."
        ),
        deciding(_shelve),
        ShelveBody,
    ),
)
