"""What a login and a password may be, and how they are hashed."""

import asyncio

import pytest
from argon2 import PasswordHasher

from services.desk.domain.passwords import ALPHABET, broken_rule, is_login, login_key
from services.desk.handlers import passwords
from services.desk.handlers.passwords import AT_ONCE, MOST_WAITING, PasswordThreads
from shared.runtime.errors import Problem


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("a" * 11, "short"),
        ("a" * 12, None),
        ("一二三四五六七八九十百千", None),
        ("a" * 128, None),
        ("a" * 129, "long"),
        ("ＷＡＮＧ.wu.2026.x", "login"),
        (" wang.wu.2026.x ", "login"),
    ],
)
def test_a_password_has_12_to_128_characters_and_is_not_the_login(password: str, rule: str | None):
    assert broken_rule(password, "Wang.Wu.2026.x") == rule


@pytest.mark.parametrize("login", ["wang.wu", "王五", "a@b.example", "x" * 64])
def test_a_login_is_one_visible_word(login: str):
    assert is_login(login)


@pytest.mark.parametrize(
    "login", ["", " ", "wang wu", "x" * 65, "a\0", "\u200b", "a\u202eb", "a\n"]
)
def test_anything_else_is_no_login(login: str):
    assert not is_login(login)


def test_logins_are_compared_without_case_width_and_what_cannot_be_seen():
    assert login_key("ＷＡＮＧ.Wu\u200b") == login_key("wang.wu")


def test_generated_passwords_keep_the_rules_and_are_easy_to_type():
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        assert broken_rule(each, "x") is None
        assert set(each) <= {*ALPHABET, "-"}
        assert not set(each) & set("01lo")


def test_the_width_of_letters_makes_no_difference_to_a_hash():
    hashed = passwords.hash_password("ｃｏｒｒｅｃｔ horse battery")
    assert hashed.startswith("$argon2id$")
    assert passwords.is_password(hashed, "correct horse battery")
    assert not passwords.is_password(hashed, "correct horse batteri")
    assert not passwords.is_password("no hash at all", "correct horse battery")


async def test_whoever_has_no_hash_is_refused_by_the_same_work(monkeypatch: pytest.MonkeyPatch):
    verified: list[str] = []

    def is_password(hashed: str, password: str) -> bool:
        verified.append(hashed)
        return True

    threads = PasswordThreads()
    monkeypatch.setattr(passwords, "is_password", is_password)
    assert await threads.is_right("$argon2id$x", "p") is True
    assert await threads.is_right(None, "p") is False
    assert verified[0] == "$argon2id$x"
    assert verified[1].startswith("$argon2id$")
    threads.close()


async def test_a_crowd_is_refused_rather_than_queued_for_ever():
    threads = PasswordThreads()
    tried = [threads.hash("a password of a crowd") for _ in range(AT_ONCE + MOST_WAITING + 2)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    refused = [each for each in results if isinstance(each, Problem)]
    assert [problem.status for problem in refused] == [503, 503]
    assert len(set(map(str, results)) - {"busy"}) == AT_ONCE + MOST_WAITING
    threads.close()


def test_a_hash_of_other_parameters_is_to_be_made_anew():
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("x")
    assert PasswordThreads.is_outdated(old)
    assert not PasswordThreads.is_outdated(passwords.hash_password("x"))
