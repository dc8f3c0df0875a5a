"""Forms of steps: the body that the interface takes, and where a refusal belongs."""

from datetime import timedelta, timezone

import pytest
from pydantic import BaseModel, TypeAdapter

from services.desk.domain.steps import FORMS, MILESTONE, TASK_DONE, FieldKind, body_of, field_of
from services.followup.api.steps import COMMANDS
from services.followup.domain.access import Step
from shared.messages.catalogue import LANGUAGES, text

ZONE = timezone(timedelta(hours=8))
TYPED = {
    FieldKind.WORDS: "已与企业沟通",
    FieldKind.LINE: "修路",
    FieldKind.MOMENT: "2026-12-01T09:30",
    FieldKind.YES_NO: "yes",
    FieldKind.STARS: "5",
    FieldKind.DEPARTMENT: "D-CON",
}
ALL = (*FORMS.values(), MILESTONE, TASK_DONE)
# What a line stands for where it is no free text.
SPECIAL = {
    "into": "01a22c22-c120-70e7-af0e-627b834f4c07",
    "with": "01a22c22-c120-70e7-af0e-627b834f4c07, 01a22c22-c120-70e7-af0e-627b834f4c08",
}


def bodies() -> dict[str, type[BaseModel] | None]:
    """The body of each step's route, by its path below the matter."""
    prefix = "/followup/matters/{matter_id}/"
    return {entry.path.removeprefix(prefix): entry.body for entry in COMMANDS.values()}


def route_of(path: str) -> str:
    return path.replace(
        "{part}", "{milestone_id}" if path.startswith("milestones") else "{task_id}"
    )


def test_every_step_of_the_interface_has_a_form():
    assert {form.step for form in ALL} == {step.value for step in Step}
    assert {route_of(form.path) for form in ALL} == set(bodies())


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.step)
def test_what_is_typed_is_a_body_that_the_interface_takes(form):
    typed = {
        field.name: SPECIAL.get(field.name)
        or (field.choices[0] if field.choices else TYPED[field.kind])
        for field in form.fields
    }
    model = bodies()[route_of(form.path)]
    body = body_of(form, typed, ZONE)
    if model is None or body is None:
        assert body is None
    else:
        TypeAdapter(model).validate_python(body)


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.step)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_field_and_choice_has_its_words(form, lang: str):
    assert text(f"desk.step.{form.step}", lang)
    for field in form.fields:
        assert text(f"desk.field.{field.name}", lang)
        for choice in field.choices:
            assert text(field.words + choice, lang)


def test_a_field_left_empty_is_left_out():
    assert body_of(FORMS["first-contact"], {"note": ""}, ZONE) == {}


def test_a_moment_is_the_towns_and_one_that_cannot_be_read_is_sent_as_typed():
    form = FORMS["hold"]
    body = body_of(form, {"reason": "等企业", "resume_at": "2026-12-01T09:30"}, ZONE)
    assert body == {"reason": "等企业", "resume_at": "2026-12-01T09:30:00+08:00"}
    assert body_of(form, {"resume_at": "明天"}, ZONE) == {"resume_at": "明天"}


@pytest.mark.parametrize("typed", ["²", "٥", "1e9", "-1", "999"])
def test_stars_that_are_no_number_are_sent_for_the_interface_to_refuse(typed: str):
    body = body_of(FORMS["return-visit"], {"satisfaction": typed}, ZONE)
    assert body == {"satisfaction": typed}


def test_a_refusal_stands_beside_the_field_that_it_is_about():
    plan = FORMS["plan"]
    assert field_of(plan, "/body/milestones/0/owner_department") == "owner_department"
    assert field_of(plan, "/body") == ""
    assert field_of(FORMS["hold"], "/body/resume_at") == "resume_at"
