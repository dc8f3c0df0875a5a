"""`liaison accounts …` on a database of the settings, and the links of the sample town."""

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.common.trouble import Trouble
from deploy.local.launcher.sign_in_links import make_links
from services.desk.handlers.passwords import is_password
from tests.integration.deploy.stacks import LIAISON, Done

NEW = ("--role", "liaison", "--party", "L002", "--name", "祝予安")


class Commands:
    """The command line on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder

    async def run(self, *arguments: str, stdin: str = "", lang: str = "en") -> Done:
        return await asyncio.to_thread(self._run, arguments, stdin, lang)

    def _run(self, arguments: tuple[str, ...], stdin: str, lang: str) -> Done:
        env = {
            "PATH": str(Path(sys.executable).parent),
            "LIAISON_DATABASE_URL": self._url,
            "LIAISON_LANG": lang,
            "PYTHONUTF8": "1",
        }
        command = [str(LIAISON), "accounts", *arguments, "--data", str(self._folder)]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=env, timeout=50
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def commands(database_url: str, tmp_path: Path) -> Commands:
    return Commands(database_url, tmp_path / "data")


async def rows(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "desk"})
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_an_account_is_added_reset_disabled_and_listed(commands: Commands, database_url: str):
    added = await commands.run("add", "Zhu.Yuan", *NEW)
    assert added.code == 0, added.err
    password = added.out.strip()
    assert password not in added.err
    [row] = await rows(database_url, "select * from account")
    assert (row["login"], row["login_key"]) == ("Zhu.Yuan", "zhu.yuan")
    assert is_password(row["password"], password)
    assert password not in str(dict(row))

    again = await commands.run("add", "zhu.yuan", *NEW)
    assert again.code == 1
    assert "exists" in again.err

    given = await commands.run(
        "reset", "ZHU.YUAN", "--password-stdin", "--totp", stdin="three unrelated words\n"
    )
    assert (given.code, given.out) == (0, "")
    [row] = await rows(database_url, "select password from account")
    assert is_password(row["password"], "three unrelated words")

    assert (await commands.run("disable", "zhu.yuan")).code == 0
    [described] = json.loads((await commands.run("list", "--json")).out)
    assert described["disabled"] is True
    assert described["party"] == "L002"
    assert "argon2" not in str(described)
    assert (await commands.run("enable", "zhu.yuan")).code == 0
    shown = await commands.run("list", lang="zh")
    for words in ("Zhu.Yuan", "祝予安", "可用", "未开启"):
        assert words in shown.out


async def test_a_reset_ends_sessions_pauses_and_with_totp_the_second_factor(
    commands: Commands, database_url: str
):
    await commands.run("add", "zhu.yuan", *NEW)
    await rows(
        database_url,
        """update account set failures = 9, locked_until = now() + interval '1 hour', totp_secret = 'X'""",
    )
    await rows(
        database_url,
        """insert into session
           select '\\x00', id, id, null, role, party, name, '', '', now(), now(), now() + interval '1 hour'
           from account""",
    )
    await commands.run("reset", "zhu.yuan")
    [row] = await rows(database_url, "select * from account")
    assert (row["failures"], row["locked_until"], row["totp_secret"]) == (0, None, "X")
    [session] = await rows(database_url, "select expires_at <= now() as ended from session")
    assert session["ended"]
    await commands.run("reset", "zhu.yuan", "--totp")
    [row] = await rows(database_url, "select totp_secret from account")
    assert row["totp_secret"] is None


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("add", "zhu yuan", *NEW), "", "cannot be a login"),
        (("add", "x", "--role", "system", "--party", "L1", "--name", "n"), "", "does not sign in"),
        (("add", "x", "--role", "liaison", "--party", "L 1", "--name", "n"), "", "id of a party"),
        (("add", "x", "--role", "liaison", "--party", "L1", "--name", " "), "", "cannot be a name"),
        (("add", "zhu", *NEW, "--password-stdin"), "eleven char\n", "too short"),
        (("add", "zhu", *NEW, "--password-stdin"), "", "too short"),
        (("add", "zhu", *NEW, "--password-stdin"), "x" * 129, "too long"),
        (("add", "zhu.yuan.2026", *NEW, "--password-stdin"), "ZHU.yuan.2026", "must not be"),
        (("reset", "nobody"), "", "no account nobody"),
        (("disable", "nobody"), "", "no account nobody"),
        (("enable", "nobody"), "", "no account nobody"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    commands: Commands, arguments: tuple[str, ...], stdin: str, words: str
):
    done = await commands.run(*arguments, stdin=stdin)
    assert (done.code, done.out) == (1, "")
    assert words in done.err
    assert "→" in done.err


async def test_each_role_of_the_sample_town_has_a_link_of_its_own(database_url: str):
    links = await asyncio.to_thread(
        make_links, database_url, "http://127.0.0.1:8000", {"L001": "简听澜"}
    )
    assert list(links) == ["liaison", "department", "coordinator", "operator"]
    found = {row["digest"]: row for row in await rows(database_url, "select * from sign_in_link")}
    for role, link in links.items():
        start, _, code = link.rpartition("/")
        assert start == "http://127.0.0.1:8000/sign-in/link"
        row = found[hashlib.sha256(code.encode()).digest()]
        assert row["role"] == role
        assert row["used_at"] is None
        assert code not in str(dict(row))
    assert {row["name"] for row in found.values()} == {"简听澜", "D-CON", "C001", "O001"}


async def test_without_a_database_there_is_no_link():
    with pytest.raises(Trouble):
        await asyncio.to_thread(make_links, "postgresql://127.0.0.1:1/x", "http://127.0.0.1", {})
