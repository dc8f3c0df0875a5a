"""The tokens of a data folder: the same each time, kept as hashes, readable by their owner alone."""

import json
from pathlib import Path

import pytest

from deploy.common import tokens
from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from shared.auth.tokens import Principal, Tokens
from shared.contracts.vocabulary import Role


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path / "data")
    folder.make()
    return folder


def test_the_services_know_whose_token_it_is(folder: Folder):
    [token] = tokens.add(folder, [(Role.LIAISON, "L007")])
    assert Tokens(folder.tokens_file).principal(token) == Principal(Role.LIAISON, "L007")
    assert Tokens(folder.tokens_file).principal(token + "x") is None
    assert token not in folder.tokens_file.read_text()


def test_a_system_may_be_kept_to_what_it_submits_under(folder: Folder):
    [kept] = tokens.add(folder, [(Role.SYSTEM, "urn:park")], ["urn:park:web", "urn:park:visits"])
    [free] = tokens.add(folder, [(Role.SYSTEM, "urn:park")])
    known = Tokens(folder.tokens_file)
    found = [known.principal(token) for token in (kept, free)]
    assert [each and each.sources for each in found] == [("urn:park:web", "urn:park:visits"), ()]


def test_staff_keep_their_tokens(folder: Folder):
    tokens.ensure(folder, tokens.STAFF)
    first = {role: (folder.tokens / role).read_text() for role in tokens.STAFF}
    tokens.ensure(folder, tokens.STAFF)
    assert {role: (folder.tokens / role).read_text() for role in tokens.STAFF} == first
    assert len(json.loads(folder.tokens_file.read_text())) == len(tokens.STAFF)


def test_a_token_that_the_services_forgot_is_made_anew(folder: Folder):
    tokens.ensure(folder, tokens.STAFF)
    lost = (folder.tokens / "operator").read_text()
    folder.tokens_file.unlink()
    tokens.ensure(folder, tokens.STAFF)
    assert (folder.tokens / "operator").read_text() != lost
    found = Tokens(folder.tokens_file).principal((folder.tokens / "operator").read_text().strip())
    assert found == Principal(Role.OPERATOR, "O001")


def test_sample_tokens_are_told_once_the_sample_town_was_asked_for(folder: Folder):
    tokens.ensure(folder, tokens.STAFF)
    assert tokens.sample_tokens(folder) == {}
    tokens.ensure(folder, tokens.SAMPLE)
    told = tokens.sample_tokens(folder)
    assert set(told) == {"system", "liaison", "department", "coordinator", "operator"}
    known = Tokens(folder.tokens_file)
    for role, party in tokens.SAMPLE.items():
        assert known.principal(told[role.value]) == Principal(role, party)


def test_everybody_of_the_town_has_a_token_and_keeps_it(folder: Folder):
    parties = [("liaison", "L001"), ("liaison", "L002"), ("department", "D-CON")]
    tokens.ensure_everybody(folder, parties[:2])
    first = json.loads((folder.root / "demo-tokens.json").read_text())
    tokens.ensure_everybody(folder, parties)
    then = json.loads((folder.root / "demo-tokens.json").read_text())
    assert set(then) == {"L001", "L002", "D-CON"}
    assert first.items() <= then.items()
    known = Tokens(folder.tokens_file)
    assert known.principal(then["D-CON"]) == Principal(Role.DEPARTMENT, "D-CON")


def test_nobody_else_may_read_them(folder: Folder):
    tokens.ensure(folder, tokens.SAMPLE)
    tokens.ensure_everybody(folder, [("liaison", "L002")])
    kept = [folder.tokens_file, folder.root / "demo-tokens.json"]
    kept += [folder.tokens / role.value for role in tokens.SAMPLE]
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)
    assert folder.root.stat().st_mode & 0o077 == 0


def test_a_revoked_token_counts_no_more_and_the_others_do(folder: Folder):
    [gone, kept] = tokens.add(folder, [(Role.LIAISON, "L007"), (Role.LIAISON, "L007")])
    known = Tokens(folder.tokens_file)
    assert known.principal(gone) is not None
    [entry] = tokens.revoke(folder, [tokens.digest(gone)[:8].upper()])
    assert (entry["role"], entry["party"]) == ("liaison", "L007")
    assert known.principal(gone) is None
    assert known.principal(kept) == Principal(Role.LIAISON, "L007")


@pytest.mark.parametrize("hashes", [["0" * 12], [""], ["{first}", "0" * 12]])
def test_what_is_no_tokens_hash_revokes_nothing(folder: Folder, hashes: list[str]):
    [token] = tokens.add(folder, [(Role.LIAISON, "L007")])
    with pytest.raises(Trouble) as raised:
        tokens.revoke(folder, [each.format(first=tokens.digest(token)) for each in hashes])
    assert raised.value.key == "token.unknown"
    assert tokens.is_known(folder, token)
