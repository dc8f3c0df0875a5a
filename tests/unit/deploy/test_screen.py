"""What a terminal is sent: words of any origin, on a terminal of any encoding, and nothing that it would obey."""

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.show import (
    show_findings,
    show_letter,
    show_letters,
    show_results,
    show_status,
    show_tokens,
)
from deploy.common.screen import Screen, print_json
from deploy.common.streams import LastingStream
from deploy.common.trouble import Trouble
from deploy.local.launcher.report import Note, Ready, Step
from deploy.local.launcher.terminal import Terminal, show_trouble
from deploy.operations.doctor import Finding
from shared.observability.printable import is_obeyed, printable

pytestmark = pytest.mark.thorough
"""Processes of their own."""

DEPLOY = Path(__file__).parents[3] / "deploy"
HOSTILE = (
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x9b31m",
    "[/red]",
    "[bold]x",
    ":bomb:",
    "\u202egnp.exe",
    "\u2066",
    "\r\n✓ all is well",
    "\u2028",
    "\x00",
    "\udc80",
    "\U000e0041",
    "店小二",
)
words = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=4).map("".join)
NARROW = (1, 20, 80)


def letter(text: str) -> dict[str, object]:
    return {
        "id": UUID(int=1),
        "service": text,
        "fate": text,
        "topic": text,
        "partition": 0,
        "offset": 1,
        "subject": text,
        "reason": text,
        "last_failed_at": datetime(2026, 11, 24, tzinfo=UTC),
        "header_names": [text],
        "header_values": [text.encode("utf-8", "surrogatepass")],
        "value": text.encode("utf-8", "surrogatepass"),
    }


def terminal(report: Step | Note | Ready) -> Callable[[Screen], None]:
    return lambda screen: Terminal(screen)(report)


def everything(text: str) -> dict[str, Callable[[Screen], None]]:
    """Whatever shows something that may come from outside, with `text` in each place."""
    part = {"name": text, "pid": 1, "ready": False, "restarts": 0}
    now = {
        "parts": [part],
        "outbox_age_s": {text: 1.0},
        "backlog": {text: 1},
        "dead_letters": {text: 1},
        "lag": {},
        "web": text,
    }
    ready = Ready(
        {"web": text, "kafka": text, "tokens": {text: text}, "parties": {text: text}}, text
    )
    return {
        "letter": lambda screen: show_letter(screen, letter(text)),
        "letters": lambda screen: show_letters(screen, [letter(text)]),
        "settled": lambda screen: show_results(screen, {UUID(int=1): "replayed"}),
        "status": lambda screen: show_status(screen, now, Path(f"/{text}")),
        "nothing": lambda screen: show_status(screen, {**now, "parts": []}, Path(f"/{text}")),
        "doctor": lambda screen: show_findings(
            screen, [Finding("bad", "folder.unwritable", {"folder": text, "reason": text})]
        ),
        "tokens": lambda screen: show_tokens(
            screen, [{"sha256": text, "role": text, "party": text, "sources": [text]}]
        ),
        "trouble": lambda screen: show_trouble(
            screen, Trouble("part.died", part=text, code=1, words=text)
        ),
        "step": terminal(Step("replay", {"service": text})),
        "note": terminal(Note("part.finished", {"part": text})),
        "ready": terminal(ready),
    }


@given(words)
def test_case_63_a_printable_text_has_nothing_that_a_terminal_obeys(text: str):
    assert not [c for c in printable(text) if is_obeyed(c)]
    assert not [c for c in printable(text, lines=True) if is_obeyed(c) and c not in "\n\t"]
    harmless = "".join(c for c in text if not is_obeyed(c))
    assert all(c in printable(text) for c in harmless)


@pytest.mark.parametrize("place", list(everything("")))
@given(text=words, width=st.sampled_from(NARROW))
def test_case_63_a_text_from_outside_is_shown_and_not_obeyed(place: str, text: str, width: int):
    out = io.StringIO()
    everything(text)[place](Screen(file=out, width=width))
    assert not [c for c in out.getvalue() if is_obeyed(c) and c != "\n"]


def test_case_63_markup_of_a_message_is_shown_as_it_stands():
    out = io.StringIO()
    show_letter(Screen(file=out, width=80), letter("[/red] \x1b[31m"))
    assert "[/red] \\x1b[31m" in out.getvalue()


def test_case_63_a_reason_forges_no_line_of_a_list():
    out = io.StringIO()
    show_letters(Screen(file=out, width=80), [letter("bad\n0000  intake")])
    assert len(out.getvalue().splitlines()) == 3


@given(words)
def test_case_63_json_is_the_same_value_without_a_character_to_obey(text: str):
    out, before = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), sys.stdout
    sys.stdout = out
    try:
        print_json({"reason": text})
    finally:
        sys.stdout = before
    out.flush()
    line = out.buffer.getvalue().decode()
    assert json.loads(line) == {"reason": text}
    assert not [c for c in line.rstrip("\n") if is_obeyed(c)]


def test_case_63_only_one_module_makes_words_for_the_terminal():
    """What goes another way is not made printable."""
    for source in DEPLOY.rglob("*.py"):
        if source.name == "screen.py":
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        imported = {
            f"{node.module}.{name.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        }
        makers = {"rich.console.Console", "rich.text.Text", "rich.markup.escape"}
        assert not imported & makers, source
        markup = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "secho"]
        assert markup == [], source


@pytest.fixture
def stream(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LastingStream]:
    with (tmp_path / "out").open("wb") as file:
        yield LastingStream(file, encoding=request.param, errors="replace")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("stream", ["ascii", "latin-1", "gbk", "cp1252", "big5"], indirect=True)
def test_case_62_everything_is_shown_on_a_terminal_of_another_encoding(
    stream: LastingStream, lang: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LIAISON_LANG", lang)
    for show in everything("店小二 𠮷 ✓ é").values():
        show(Screen(file=stream, width=60))
    stream.flush()


def commands(of: typer.Typer = app, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command and group."""
    group = typer.main.get_command(of)
    todo = [(path, group)]
    while todo:
        at, command = todo.pop()
        yield at
        todo += [((*at, name), each) for name, each in getattr(command, "commands", {}).items()]


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_case_62_every_help_is_shown_on_a_terminal_of_another_encoding(
    command: tuple[str, ...], encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "out"
    with file.open("wb") as out:
        stream = LastingStream(out, encoding=encoding, errors="replace")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as ended:
            app([*command, "--help"])
        stream.flush()
    assert ended.value.code == 0
    assert file.read_bytes()


DOCTOR = "from deploy.cli.main import run; run()"


@pytest.mark.parametrize("where", ["/dev/full", "closed pipe", "closed"])
def test_case_62_output_that_goes_nowhere_ends_no_command(where: str, tmp_path: Path):
    code = [sys.executable, "-c", DOCTOR, "doctor", "--data", str(tmp_path / "data")]
    if where == "closed":
        done = subprocess.run(["/bin/sh", "-c", '"$@" >&- 2>&-', "sh", *code], check=False)
        assert done.returncode == 0
        return
    reading, writing = (0, 0)
    if where == "closed pipe":
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "wb") as out:
            done = subprocess.run(code, stdout=out, stderr=subprocess.PIPE, check=False)
    else:
        with open(where, "wb") as out:
            done = subprocess.run(code, stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


def test_case_62_a_command_says_all_it_can_in_gbk(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", DOCTOR, "doctor", "--data", str(tmp_path / "数据 𠮷")],
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "gbk", "LIAISON_LANG": "zh"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "数据 ?" in done.stdout.decode("gbk")
    assert b"Traceback" not in done.stderr


def test_a_lasting_stream_gives_text_to_the_same_place(tmp_path: Path):
    with (tmp_path / "out").open("wb") as file:
        stream = LastingStream(file, encoding="utf-8", errors="replace")
        Screen(file=stream, width=40).print(Text("回音"))
        stream.flush()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "回音\n"


def test_a_json_answer_is_read_back_by_a_program_whatever_the_terminal():
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert json.loads(done.stdout)
