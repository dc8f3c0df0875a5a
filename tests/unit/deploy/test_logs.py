"""Whoever looks for people in logs finds them, in whatever way they are written."""

import json

import pytest

from tests.support import logs

PEOPLE = {"容主管", "000-5550-1365"}


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "called", "who": "容主管"}',
        json.dumps({"who": "容主管"}),
        json.dumps({"fault": repr("容主管".encode())}),
        repr("容主管".encode()),
        json.dumps({"fault": json.dumps({"who": "容主管"})}),
    ],
)
def test_a_name_is_found(line: str):
    assert logs.named_in(f"first\n{line}\nlast", PEOPLE) == {"容主管"}


def test_a_number_is_found():
    assert logs.named_in('{"phone": "000-5550-1365"}', PEOPLE) == {"000-5550-1365"}


def test_nobody_is_found_where_nobody_is():
    assert logs.named_in('{"event": "relay.leads", "phone": "000-5550-1366"}', PEOPLE) == set()


def test_the_town_s_people_are_looked_for():
    people = logs.people()
    assert people > {"容主管", "000-5550-1365", "本人", "简听澜", "听澜小区居民"}
    assert len(people) > 200
