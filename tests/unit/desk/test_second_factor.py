"""Codes of a second factor: six digits, a window of one step, each once."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.second_factor import enrolment_url, matching_step, spaced

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


def code(shift: int) -> str:
    return pyotp.TOTP(SECRET).at(NOW, counter_offset=shift)


def test_the_codes_of_rfc_6238_count():
    # Appendix B, the last six of its eight digits.
    for seconds, digits in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert matching_step(SECRET, digits, at, 0) == seconds // 30


@pytest.mark.parametrize(
    ("shift", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_the_window_is_one_step_to_each_side(shift: int, counts: bool):
    assert matching_step(SECRET, code(shift), NOW, 0) == (STEP + shift if counts else None)


def test_a_code_counts_once_and_so_does_none_before_it():
    assert matching_step(SECRET, code(0), NOW, STEP) is None
    assert matching_step(SECRET, code(-1), NOW, STEP) is None
    assert matching_step(SECRET, code(1), NOW, STEP) == STEP + 1
    assert matching_step(SECRET, code(1), NOW + timedelta(seconds=30), STEP + 1) is None


def test_spaces_and_full_width_digits_make_no_difference():
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code(0))
    for written in (f" {code(0)[:3]} {code(0)[3:]} ", wide):
        assert matching_step(SECRET, written, NOW, 0) == STEP


@given(st.text(max_size=12))
def test_nothing_else_counts(written: str):
    right = {code(shift) for shift in (-1, 0, 1)}
    if "".join(written.split()) not in right:
        assert matching_step(SECRET, written, NOW, 0) is None


def test_what_an_app_scans_and_what_a_person_types_is_the_same_secret():
    read = pyotp.parse_uri(enrolment_url(SECRET, "王五@街道"))
    assert (read.secret, read.name, read.issuer) == (SECRET, "王五@街道", "Liaison")
    assert spaced("ABCDEFGHIJ") == "ABCD EFGH IJ"
