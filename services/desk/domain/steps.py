"""The steps of a matter as forms: which fields each has, and the body that the interface takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.contracts.vocabulary import ClockKind, MilestoneState, Outcome, ReopenCause


class FieldKind(StrEnum):
    """How a field is typed."""

    WORDS = "words"
    LINE = "line"
    MOMENT = "moment"
    CHOICE = "choice"
    YES_NO = "yes_no"
    STARS = "stars"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class StepField:
    """One field. `choices` are words of the wire, `words` the catalogue's prefix for them."""

    name: str
    kind: FieldKind
    required: bool = True
    choices: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step's form. `path` is what is posted to below the matter, with the id of a part where it is about one."""

    step: str
    path: str
    fields: tuple[StepField, ...] = ()
    grave: bool = False
    """Whether it cannot simply be taken back: its button says so."""


_K = FieldKind
_REASON: Final = StepField("reason", _K.WORDS)
_OUTCOMES: Final = tuple(each.value for each in Outcome if each is not Outcome.WITHDRAWN)
_CLOCKS: Final = tuple(each.value for each in ClockKind)
_CAUSES: Final = tuple(each.value for each in ReopenCause)

FORMS: Final[Mapping[str, StepForm]] = MappingProxyType(
    {
        form.step: form
        for form in (
            StepForm(
                "first-contact", "first-contact", (StepField("note", _K.WORDS, required=False),)
            ),
            StepForm("feedback", "feedback", (StepField("text", _K.WORDS),)),
            StepForm(
                "handle",
                "handle",
                (
                    StepField("outcome", _K.CHOICE, choices=_OUTCOMES, words="desk.outcome."),
                    StepField("answer", _K.WORDS),
                ),
            ),
            StepForm(
                "return-visit",
                "return-visit",
                (
                    StepField("reached", _K.YES_NO),
                    StepField("solved", _K.YES_NO, required=False),
                    StepField("satisfaction", _K.STARS, required=False),
                    StepField("words", _K.WORDS, required=False),
                ),
            ),
            StepForm(
                "plan",
                "plan",
                (
                    StepField("title", _K.LINE),
                    StepField("owner_department", _K.DEPARTMENT),
                    StepField("due_at", _K.MOMENT),
                ),
            ),
            StepForm(
                "tasks",
                "tasks",
                (
                    StepField("department", _K.DEPARTMENT),
                    StepField("title", _K.LINE),
                    StepField("due_at", _K.MOMENT, required=False),
                ),
            ),
            StepForm("hold", "hold", (_REASON, StepField("resume_at", _K.MOMENT))),
            StepForm("resume", "resume"),
            StepForm(
                "extend",
                "extend",
                (
                    StepField("clock", _K.CHOICE, choices=_CLOCKS, words="clock."),
                    StepField("new_due_at", _K.MOMENT),
                    _REASON,
                ),
            ),
            StepForm("shelve", "shelve", (_REASON, StepField("review_at", _K.MOMENT))),
            StepForm(
                "close",
                "close",
                (StepField("exemption", _K.WORDS, required=False),),
                grave=True,
            ),
            StepForm(
                "reopen",
                "reopen",
                (StepField("cause", _K.CHOICE, choices=_CAUSES, words="desk.cause."), _REASON),
                grave=True,
            ),
            StepForm("reject", "reject", (_REASON, StepField("channel", _K.LINE)), grave=True),
            StepForm("merge", "merge", (StepField("into", _K.LINE), _REASON), grave=True),
            StepForm("unmerge", "unmerge", (_REASON,), grave=True),
            StepForm("join", "join", (StepField("title", _K.LINE), StepField("with", _K.LINE))),
        )
    }
)
"""The forms by the words of the interface, in the order in which they are offered."""

MILESTONE: Final = StepForm(
    "milestones",
    "milestones/{part}",
    (
        StepField(
            "state",
            _K.CHOICE,
            required=False,
            choices=tuple(each.value for each in MilestoneState),
            words="desk.milestone.",
        ),
        StepField("due_at", _K.MOMENT, required=False),
        StepField("evidence", _K.WORDS, required=False),
        StepField("blocker", _K.WORDS, required=False),
        StepField("reason", _K.WORDS, required=False),
    ),
)
"""What changes of one milestone."""

TASK_DONE: Final = StepForm("task-done", "tasks/{part}/done")
"""Saying that a task is done."""


def body_of(form: StepForm, typed: Mapping[str, str], zone: tzinfo) -> dict[str, object] | None:
    """The body that the interface takes for what was typed; None for a step that takes none.

    A field that was left empty is left out. Moments are read in the town's zone; one that cannot be read is sent as it
    was typed, for the interface to refuse by name.
    """
    if not form.fields:
        return None
    body: dict[str, object] = {
        field.name: _value(field, typed[field.name], zone)
        for field in form.fields
        if typed.get(field.name)
    }
    if form.step == "plan":
        return {"milestones": [body]}
    if form.step == "join":
        return {**body, "with": str(body.get("with", "")).replace(",", " ").split()}
    return body


def field_of(form: StepForm, pointer: str) -> str:
    """The name of the form's field that a JSON pointer of a refusal is about; empty for the form as a whole."""
    steps = [each for each in pointer.split("/") if each]
    names = {field.name for field in form.fields}
    return next((each for each in reversed(steps) if each in names), "")


def _value(field: StepField, typed: str, zone: tzinfo) -> object:
    match field.kind:
        case FieldKind.MOMENT:
            return _moment(typed, zone)
        case FieldKind.YES_NO if typed in ("yes", "no"):
            return typed == "yes"
        case FieldKind.STARS if typed.isascii() and typed.isdigit() and len(typed) < 3:
            return int(typed)
        case _:
            return typed


def _moment(typed: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
