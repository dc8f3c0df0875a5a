"""A signed token opens the pages to the staff, as one of the file does."""

import pytest
from fastapi import Request

from services.followup.pages.visitors import STAFF, signed_in
from shared.auth.tokens import SIGNED, Principal
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem


def request(found: object) -> Request:
    return Request(
        {"type": "http", "headers": [(b"authorization", b"Bearer a.b.c")], SIGNED: found}
    )


@pytest.mark.parametrize("role", Role)
def test_a_signed_token_is_shown_by_the_staff(role: Role):
    shown = Principal(role, "X001")
    assert signed_in(request(shown)) == (shown if role in STAFF else None)


def test_one_that_does_not_count_opens_nothing():
    assert signed_in(request(Problem(401, "not_signed_in"))) is None
