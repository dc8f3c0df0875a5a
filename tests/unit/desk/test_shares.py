"""Shares as people read them."""

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.shares import FEW, share_of


def test_nothing_to_divide_by_is_no_share():
    assert share_of(0, 0).percent is None


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_all_is_said_of_all_and_none_of_none(numerator: int, more: int):
    share = share_of(numerator, numerator + more)
    assert share.percent is not None
    assert 0 <= share.percent < 100
    assert (share.percent == 0) == (numerator == 0)
    assert share_of(more, more).percent == 100
    assert share.is_of_few == (numerator + more < FEW)
