"""What the launcher tells, over a pipe and on a terminal."""

import io
import os
from pathlib import Path

import pytest

from deploy.common.screen import Screen
from deploy.common.trouble import Trouble
from deploy.local.launcher.foreground import show
from deploy.local.launcher.journal import Journal
from deploy.local.launcher.report import (
    Failed,
    Note,
    Progress,
    Ready,
    Report,
    Step,
    decode,
    encode,
    failed,
)
from deploy.local.launcher.terminal import Terminal

ENDPOINTS = {
    "web": "http://127.0.0.1:8000",
    "kafka": "127.0.0.1:9092",
    "postgres": "postgresql://liaison:secret@127.0.0.1:5432/liaison",
    "tokens": {"operator": "the-token"},
    "parties": {"operator": "O001"},
    "links": {"operator": f"http://127.0.0.1:8000/sign-in/link/{'c' * 32}"},
}
READY = Ready(ENDPOINTS, "/data")
REPORTS: list[Report] = [
    Step("kafka"),
    Progress(1_000_000, 4_000_000),
    Note("part.died", {"part": "intake", "code": 1, "seconds": 0.5}),
    READY,
    Failed("port.taken", {"port": 8000}),
]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_LANG", "en")


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_survives_the_pipe(report: Report):
    line = encode(report)
    assert "\n" not in line
    assert decode(line) == report


def test_a_trouble_survives_the_pipe_whatever_it_names():
    trouble = Trouble("folder.unwritable", folder=Path("/data"), reason=PermissionError("no"))
    told = decode(encode(failed(trouble)))
    assert told == Failed("folder.unwritable", {"folder": "/data", "reason": "no"})


def shown(*reports: Report) -> str:
    out = io.StringIO()
    terminal = Terminal(Screen(file=out, width=80))
    for report in reports:
        terminal(report)
    return out.getvalue()


def test_steps_progress_and_the_end_are_lines_where_nothing_can_move():
    quarters = [Progress(quarter, 4) for quarter in range(5)]
    said = shown(Step("jars"), *quarters, Step("kafka"), READY)
    assert "Checking Kafka's files" in said
    assert [line.strip() for line in said.splitlines() if "%" in line] == [
        "25 %", "50 %", "75 %", "100 %",
    ]  # fmt: skip
    assert "http://127.0.0.1:8000" in said
    assert "operator O001" in said
    assert "the-token" in said
    assert f"  {ENDPOINTS['links']['operator']}  operator\n" in said
    assert "/data/endpoints.json" in said


def test_a_failure_says_what_to_do_and_shows_the_last_words():
    said = shown(
        Step("services"), Failed("part.died", {"part": "services", "code": 1, "words": "E!"})
    )
    assert "services ended" in said
    assert "E!" in said
    assert "→" in said


@pytest.mark.parametrize(("last", "code"), [(READY, 0), (Failed("port.taken", {"port": 1}), 1)])
def test_the_exit_code_is_the_last_reports(last: Report, code: int, tmp_path: Path):
    pipe = tmp_path / "pipe"
    pipe.write_text(encode(Step("kafka")) + "\n" + encode(last) + "\n")
    reading = os.open(pipe, os.O_RDONLY)
    assert show(reading, Terminal(Screen(file=io.StringIO())), tmp_path / "log") == code


def test_the_journal_has_the_times_and_no_token(tmp_path: Path):
    log = tmp_path / "logs" / "launcher.log"
    journal = Journal(log)
    for report in REPORTS:
        journal(report)
    written = log.read_text()
    assert "the-token" not in written
    assert "secret" not in written
    assert [line.split()[0][:2] for line in written.splitlines()] == ["20"] * 4
