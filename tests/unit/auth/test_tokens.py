"""The tokens file counts as it is now, and a slip of the hand in it locks nobody out."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from shared.auth.tokens import Principal, Tokens
from shared.contracts.vocabulary import Role


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def write(file: Path, *entries: tuple[str, str, str], replace: bool = False) -> None:
    """Write (token, role, party), in place or by putting a new file in its place."""
    listed = [
        {"sha256": digest(token), "role": role, "party": party} for token, role, party in entries
    ]
    target = file.with_suffix(".new") if replace else file
    target.write_text(json.dumps(listed))
    if replace:
        target.replace(file)


def age(file: Path, seconds: int) -> None:
    past = file.stat().st_mtime_ns - seconds * 1_000_000_000
    os.utime(file, ns=(past, past))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens.json"
    write(file, ("one", "liaison", "L001"))
    age(file, 60)
    return file


def test_a_token_has_a_role_and_a_party(file: Path):
    assert Tokens(file).principal("one") == Principal(Role.LIAISON, "L001")
    assert Tokens(file).principal("two") is None
    assert Tokens(file).principal("") is None
    assert Tokens(file).principal("x" * 513) is None
    assert Tokens(None).principal("one") is None


@pytest.mark.parametrize("replace", [False, True])
def test_a_change_of_the_file_counts_from_the_next_call(file: Path, replace: bool):
    tokens = Tokens(file)
    assert tokens.principal("one") is not None
    write(file, ("two", "coordinator", "C001"), replace=replace)
    assert tokens.principal("one") is None
    assert tokens.principal("two") == Principal(Role.COORDINATOR, "C001")


def test_changes_within_one_tick_of_the_clock_are_seen(file: Path):
    """The same size and the same time: a token that was taken back must not stay good."""
    tokens = Tokens(file)
    write(file, ("one", "liaison", "L001"))
    same = file.stat().st_mtime_ns
    assert tokens.principal("one") is not None
    write(file, ("two", "liaison", "L001"))
    os.utime(file, ns=(same, same))
    assert tokens.principal("one") is None
    assert tokens.principal("two") is not None


def test_a_file_that_has_gone_lets_nobody_in(file: Path):
    tokens = Tokens(file)
    assert tokens.principal("one") is not None
    file.unlink()
    assert tokens.principal("one") is None
    write(file, ("one", "liaison", "L001"))
    assert tokens.principal("one") is not None


@pytest.mark.parametrize(
    "written",
    ["", "[", "{}", '[{"sha256": "x", "role": "liaison", "party": "L1"}]', '[{"role": 1}]'],
)
def test_a_file_that_cannot_be_read_changes_nothing_until_it_can(file: Path, written: str):
    tokens = Tokens(file)
    assert tokens.principal("one") is not None
    file.write_text(written)
    assert tokens.principal("one") == Principal(Role.LIAISON, "L001")
    write(file, ("two", "liaison", "L002"))
    assert tokens.principal("one") is None
    assert tokens.principal("two") is not None


def test_a_digest_may_be_written_in_capitals(file: Path):
    file.write_text(
        json.dumps([{"sha256": digest("one").upper(), "role": "operator", "party": "O001"}])
    )
    assert Tokens(file).principal("one") == Principal(Role.OPERATOR, "O001")


def test_an_unchanged_file_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch):
    tokens = Tokens(file)
    assert tokens.principal("one") is not None

    def read_bytes(self: Path) -> bytes:
        raise AssertionError("the file has not changed")

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert tokens.principal("one") is not None


def test_sources_say_what_a_system_submits_under_and_who_speaks_for_the_others(file: Path):
    named = ["https://bureau.example"]
    entries = [("bureau", "system", named[0]), ("one", "liaison", "L001")]
    listed = [
        {"sha256": digest(token), "role": role, "party": party, "sources": named}
        for token, role, party in entries
    ]
    file.write_text(json.dumps(listed))
    tokens = Tokens(file)
    system, liaison = tokens.principal("bureau"), tokens.principal("one")
    assert system is not None
    assert system.sources == tuple(named)
    assert system == Principal(Role.SYSTEM, named[0]), "it is the same party, whatever it may do"
    assert liaison is not None
    assert liaison.sources == ()
    # The bureau's own token does not make it doubtful whom the bureau speaks for.
    assert tokens.speaker(named[0], None) == liaison
    assert tokens.speaker(named[0], named[0]) is None
