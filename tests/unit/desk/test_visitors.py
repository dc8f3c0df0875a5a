"""A token of the staff in the Authorization header opens the pages as a session does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi import Request

from services.desk.domain.sessions import Session
from services.desk.pages.visitors import STAFF, Person, staff_member
from shared.auth.tokens import Principal, Tokens
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem


class Verifier:
    """Finds what it was given in every signed token."""

    def __init__(self, found: Principal | Problem) -> None:
        self._found = found

    async def principal(self, token: str) -> Principal:
        if isinstance(self._found, Problem):
            raise self._found
        return self._found


class Sessions:
    """One session, whatever the cookie."""

    def __init__(self, role: Role) -> None:
        self._session = SimpleNamespace(role=role, party="X001", name="X", id="1")

    async def find(self, cookie: str) -> Session:
        return self._session  # type: ignore[return-value]


def request(headers: dict[str, str], **state: Any) -> Request:
    app = SimpleNamespace(state=SimpleNamespace(tokens=Tokens(None), **state))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "app": app}
    return Request(scope | {"headers": raw, "server": ("desk", 80)})


@pytest.mark.parametrize("role", Role)
async def test_a_signed_token_is_shown_by_the_staff(role: Role):
    shown = Principal(role, "X001")
    header = {"authorization": "Bearer a.b.c"}
    found = await staff_member(request(header, signed=Verifier(shown)))
    assert found == (shown if role in STAFF else None)


async def test_one_that_does_not_count_opens_nothing():
    header = {"authorization": "Bearer a.b.c", "cookie": "liaison_session=x"}
    refusing = Verifier(Problem(401, "not_signed_in"))
    sessions = Sessions(Role.OPERATOR)
    assert await staff_member(request(header, signed=refusing, sessions=sessions)) is None


@pytest.mark.parametrize("role", Role)
async def test_a_session_of_the_staff_opens_the_pages(role: Role):
    found = await staff_member(request({"cookie": "liaison_session=x"}, sessions=Sessions(role)))
    assert found == (Principal(role, "X001") if role in STAFF else None)


def test_a_session_goes_on_whatever_it_is_used_for():
    now = datetime(2026, 3, 2, 4, tzinfo=UTC)
    session = Session(
        UUID(int=1), None, None, Role.LIAISON, "L001", "祝予安", "", "", now, now, now
    )
    person = Person(Principal(Role.LIAISON, "L001"), "祝予安", session)
    used = replace(person, session=replace(session, seen_at=now + timedelta(minutes=1)))
    assert person.goes_on(used)
    assert not person.goes_on(None)
    assert not person.goes_on(replace(person, session=replace(session, id=UUID(int=2))))
    assert not person.goes_on(replace(person, principal=Principal(Role.OPERATOR, "L001")))
