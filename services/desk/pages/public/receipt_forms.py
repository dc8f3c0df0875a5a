"""The forms of a receipt: what was typed, the body of the step that it asks for, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.desk.pages.public.ask_form import FieldNotice, words_of
from shared.messages.catalogue import text

STEPS: Final = ("messages", "answer", "withdraw")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "messages": ("message",),
    "answer": ("solved", "satisfaction", "words"),
    "withdraw": ("reason",),
}
_SOLVED: Final = {"yes": True, "no": False}
_DEGREES: Final = ("1", "2", "3", "4", "5")


def read_step(step: str, sent: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the form of a step; a field that was not sent is empty."""
    return {field: sent.get(field, "") for field in FIELDS[step]}


def step_body(step: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """The body of intake's route for the step."""
    if step == "messages":
        return {"message": typed["message"].strip()}
    if step == "withdraw":
        return {"reason": typed["reason"].strip() or None}
    satisfaction = typed["satisfaction"]
    return {
        "solved": _SOLVED.get(typed["solved"]),
        "satisfaction": int(satisfaction) if satisfaction in _DEGREES else None,
        "words": typed["words"].strip() or None,
    }


def missing(step: str, body: Mapping[str, Any], lang: str) -> tuple[FieldNotice, ...]:
    """The fields of a step that must be filled in and are not."""
    needed = {"messages": ("message",), "answer": ("solved", "satisfaction"), "withdraw": ()}
    return tuple(
        FieldNotice(field, text(f"receipt.{field}.missing", lang))
        for field in needed[step]
        if body[field] in (None, "")
    )


def notices_of_step(
    step: str, errors: Iterable[tuple[str, str, str]], lang: str
) -> tuple[FieldNotice, ...]:
    """Errors of a step's body (JSON pointer, code, words) by the fields of its form."""
    found: dict[str, FieldNotice] = {}
    for pointer, code, words in errors:
        field = pointer.rpartition("/")[2]
        if field in FIELDS[step]:
            notice = FieldNotice(field, words_of(f"receipt.{field}", code, words, lang))
            found.setdefault(field, notice)
    return tuple(found.values())
