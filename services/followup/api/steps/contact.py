"""Steps towards the requester: first contact and feedback."""

from typing import Final

from services.followup.api.steps.entry import Body, deciding, entry
from services.followup.domain.steps import work
from services.followup.handlers.steps import Decide
from shared.contracts.fields.types import Words
from shared.http.writes.steps import StepOperation, StepRequest


class FirstContactBody(Body):
    """The owner spoke to the requester."""

    note: Words | None = None


class FeedbackBody(Body):
    """What the requester was told."""

    text: Words


def _first_contact(wanted: StepRequest) -> Decide:
    step = work.FirstContact(wanted.body.note if wanted.body else None)
    return lambda matter, moment: work.first_contact(matter, step, moment)


def _feedback(wanted: StepRequest) -> Decide:
    step = work.Feedback(wanted.body.text)
    return lambda matter, moment: work.feedback(matter, step, moment)


STEPS: Final = (
    entry(
        "first-contact",
        "contact",
        StepOperation(
            "recordFirstContact", "The owner spoke to the requester", "首次联系: once a round."
        ),
        deciding(_first_contact),
        FirstContactBody,
        optional=True,
    ),
    entry(
        "feedback",
        "feed_back",
        StepOperation(
            "giveFeedback",
            "Tell the requester how it stands",
            "阶段反馈: keeps the interim promise, and while charted promises the next.",
        ),
        deciding(_feedback),
        FeedbackBody,
    ),
)
