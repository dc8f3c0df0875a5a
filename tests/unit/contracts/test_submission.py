"""What a submission may be: the same for HTTP and Kafka, strict about what it does not know."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.fields import uscc
from shared.contracts.submission import Submission

BODY = "91330100MA27XW1N8"
CODE = BODY + uscc.check_character(BODY)


def submission(**changes: Any) -> dict[str, Any]:
    sent = {
        "source": "https://one-stop.example",
        "source_ref": "1",
        "channel": "web",
        "kind": "help",
        "requester": {"kind": "enterprise", "id": CODE, "name": "厂"},
        "summary": "s",
        "detail": "d",
    }
    return {key: value for key, value in (sent | changes).items() if value is not ...}


def read(**changes: Any) -> Submission:
    return Submission.model_validate_json(json.dumps(submission(**changes)))


@given(
    st.lists(st.sampled_from("\u202d\u202c\u200e\u2066\u2069\ufeff\u00a0 -"), max_size=4),
    st.booleans(),
)
def test_case_41_what_is_pasted_around_a_code_is_no_part_of_it(around: list[str], lower: bool):
    code = CODE.lower() if lower else CODE
    pasted = f"{''.join(around)}{code}{''.join(reversed(around))}"
    found = read(requester={"kind": "enterprise", "id": pasted, "name": "厂"})
    assert found.requester.id == CODE


def test_case_48_another_id_turns_nothing_round():
    with pytest.raises(ValidationError) as caught:
        read(requester={"kind": "resident", "id": "\u202d1\u202c", "name": "某"})
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("bidi_control", ("requester", "id"))


def test_what_may_be_left_out_has_its_default():
    found = read()
    assert (found.urgency, found.category, found.attachments) == ("normal", None, ())
    assert found.occurred_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "no uri"},
        {"source": "urn:x y"},
        {"source": "urn:x\u0000"},
        {"source": ...},
        {"source_ref": ""},
        {"source_ref": " "},
        {"source_ref": "x" * 201},
        {"channel": "fax"},
        {"kind": "Help"},
        {"urgency": "asap"},
        {"summary": ""},
        {"summary": "x" * 201},
        {"summary": "a\u0000b"},
        {"summary": "a\u001bb"},
        {"detail": "x" * 10_001},
        {"detail": "\u0000"},
        {"detail": 1},
        {"category": "/a"},
        {"category": "a/"},
        {"category": "a//b"},
        {"category": "a/ /b"},
        {"category": "a/\u3000"},
        {"category": "a/\u200b/b"},
        {"category": "\u3164/b"},
        {"category": "a/b/c/d/e/f"},
        {"requester": {"kind": "enterprise", "id": CODE[:-1] + "*", "name": "n"}},
        {"requester": {"kind": "resident", "id": "1"}},
        {"requester": {"kind": "resident", "id": "1", "name": "n", "contact": {"name": "n"}}},
        {
            "requester": {
                "kind": "resident",
                "id": "1",
                "name": "n",
                "contact": {"name": "n", "phone": "call me"},
            }
        },
        {"occurred_at": "2026-03-02T09:30:00"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"occurred_at": "9999-12-31T23:59:59-12:00"},
        {"occurred_at": "2026-02-30T00:00:00Z"},
        {"occurred_at": 1e300},
        {"attachments": [{"url": "file:///etc/passwd", "name": "n"}]},
        {"attachments": [{"url": "javascript:alert(1)", "name": "n"}]},
        {"attachments": [{"url": "https://a.example/x", "name": "n"}] * 21},
        {"unknown": 1},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]):
    with pytest.raises(ValidationError):
        read(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": " 路灯坏了 "},
        {"detail": "第一行\n第二行\t完"},
        {"category": "a/b/c/d/e"},
        {"requester": {"kind": "resident", "id": "不是编码", "name": "n"}},
        {"occurred_at": "2026-03-02T09:30:00+08:00"},
        {"attachments": [{"url": "https://a.example/文件.jpg", "name": "n"}] * 20},
    ],
)
def test_what_fits_is_taken(changes: dict[str, Any]):
    assert read(**changes)


def test_spaces_around_are_no_difference():
    assert read(summary=" a ", source_ref=" 1 ") == read(summary="a", source_ref="1")


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_a_code_s_check_character_is_the_only_one_that_fits(body: str):
    right = uscc.check_character(body)
    assert uscc.is_valid(body + right)
    assert [c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if uscc.is_valid(body + c)] == [right]


@given(
    st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17),
    st.integers(0, 16),
    st.data(),
)
def test_one_mistyped_character_is_noticed(body: str, place: int, data: st.DataObject):
    right = uscc.check_character(body)
    other = data.draw(
        st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY").filter(lambda c: c != body[place])
    )
    assert not uscc.is_valid(body[:place] + other + body[place + 1 :] + right)


@pytest.mark.parametrize("code", ["", "x", CODE + "0", CODE[:-1], "I" * 18, "路" * 18])
def test_what_is_no_code_is_not_valid(code: str):
    assert not uscc.is_valid(code)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_whatever_comes_is_read_or_refused(sent: Any):
    try:
        Submission.model_validate_json(json.dumps(sent))
    except ValidationError:
        return
    raise AssertionError("nothing of this kind is a submission")
