"""What a form's own fields count as, whoever wrote them."""

import pytest

from services.desk.domain.steps import MILESTONE, FieldKind
from services.desk.pages.forms import LARGEST, TypedForm


@pytest.mark.parametrize("key", ["", "钥匙", "a\r\nx: y", "a b", "a" * 101, "é"])
def test_a_key_that_no_page_of_ours_made_is_none(key: str):
    assert TypedForm({"key": [key]}).key is None


@pytest.mark.parametrize("version", ["", "-1", "１", "9" * 5000, "1.0", "x"])
def test_a_version_that_is_no_number_is_none(version: str):
    assert TypedForm({"version": [version]}).version is None


def test_what_a_page_made_counts():
    form = TypedForm({"key": [" 01980000-0000-7000-8000-000000000001 "], "version": ["12"]})
    assert form.key == "01980000-0000-7000-8000-000000000001"
    assert form.version == 12


def test_the_longest_texts_of_a_step_fit_into_a_form():
    texts = [field for field in MILESTONE.fields if field.kind is FieldKind.WORDS]
    assert len(texts) * 10_000 * 12 < LARGEST
