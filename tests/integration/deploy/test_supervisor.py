"""Programs kept running, ended in order and never orphaned; small programs stand for large ones."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.common.trouble import Trouble
from deploy.local.embedded.ports import LOOPBACK, is_free, pick
from deploy.local.embedded.process import Program, end, identity, is_running, last_words, running
from deploy.local.embedded.supervisor import Died, Restarted, Supervisor, rotate
from tests.integration.deploy.stacks import until

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
FAMILY = (
    "import subprocess as s, sys; s.Popen([sys.executable, '-c', 'input()'], stdin=s.PIPE); "
    + SLEEPER
)


def program(folder: Path, code: str, name: str = "part", **more) -> Program:
    log = folder / f"{name}.log"
    settings = {"ready": lambda: log.stat().st_size > 0, "stop_seconds": 5.0, **more}
    return Program(name, (sys.executable, "-c", code), log, **settings)


def test_a_program_that_dies_is_started_again_later_and_later(tmp_path: Path):
    supervisor = Supervisor(lambda parts: None)
    part = supervisor.add(program(tmp_path, "print('no'); raise SystemExit(3)"))
    seen = []
    until(lambda: seen.extend(supervisor.tick()) or len(seen) >= 5, 10)
    supervisor.stop()
    delays = [happening.delay for happening in seen if isinstance(happening, Died)]
    assert delays[:3] == [0.5, 1.0, 2.0]
    assert seen[0] == Died("part", 3, 0.5)
    assert seen[1] == Restarted("part", 1)
    assert not part.is_alive


def test_a_task_that_ends_well_is_not_started_again(tmp_path: Path):
    supervisor = Supervisor(lambda parts: None)
    supervisor.add(program(tmp_path, "print('done')", once=True))
    seen = []
    until(lambda: seen.extend(supervisor.tick()) or bool(seen), 10)
    assert seen == [Died("part", 0, None)]
    assert supervisor.parts == []


def test_the_last_started_is_ended_first(tmp_path: Path):
    told: list[list[str]] = []
    supervisor = Supervisor(lambda parts: told.append([part.program.name for part in parts]))
    for name in ("first", "second", "third"):
        supervisor.add_ready(program(tmp_path, SLEEPER, name), 10)
    supervisor.stop()
    assert told[-4:] == [["first", "second", "third"], ["first", "second"], ["first"], []]


def test_what_does_not_listen_is_killed_in_time(tmp_path: Path):
    with running(program(tmp_path, STUBBORN, stop_seconds=0.5), 10) as child:
        begun = time.monotonic()
    assert time.monotonic() - begun < 4
    assert child.returncode == -signal.SIGKILL


def test_ending_a_program_ends_what_it_started(tmp_path: Path):
    with running(program(tmp_path, FAMILY, stop_seconds=1.0), 10) as child:
        family = psutil.Process(child.pid).children(recursive=True)
        assert len(family) == 1
    assert not any(member.is_running() and member.status() != "zombie" for member in family)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start cleans up")
def test_a_killed_launcher_takes_its_programs_along(tmp_path: Path):
    code = f"""
import sys, time
from pathlib import Path
from deploy.local.embedded.process import Program, start
child = start(Program("part", (sys.executable, "-c", {SLEEPER!r}), Path({str(tmp_path)!r}) / "log", lambda: True))
print(child.pid, flush=True)
time.sleep(60)
"""
    launcher = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    who = identity(int(launcher.stdout.readline()))
    assert who is not None
    until(lambda: (tmp_path / "log").stat().st_size > 0, 10)
    assert is_running(who)
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    until(lambda: not is_running(who), 5)


def test_a_program_that_fails_at_once_says_why(tmp_path: Path):
    code = "import sys; sys.exit('the disk is full')"
    supervisor = Supervisor(lambda parts: None)
    with pytest.raises(Trouble) as trouble:
        supervisor.add_ready(program(tmp_path, code, ready=lambda: False), 10)
    assert trouble.value.key == "part.died"
    assert trouble.value.params["words"] == "the disk is full"
    assert supervisor.parts == []


def test_one_that_is_never_ready_is_given_up(tmp_path: Path):
    supervisor = Supervisor(lambda parts: None)
    with pytest.raises(Trouble, match=r"part\.slow"):
        supervisor.add_ready(program(tmp_path, SLEEPER, ready=lambda: False), 0.5)
    assert supervisor.parts == []


def test_another_servers_port_is_not_taken_for_ones_own(tmp_path: Path):
    port = pick(None)
    server = (sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK)

    def answered() -> bool:
        return not is_free(port)

    theirs = Program("theirs", server, tmp_path / "theirs.log", answered, port=port)
    supervisor = Supervisor(lambda parts: None)
    with running(theirs, 10), pytest.raises(Trouble, match=r"part\.slow"):
        supervisor.add_ready(program(tmp_path, SLEEPER, ready=answered, port=port), 0.5)


def test_a_number_used_again_is_not_the_same_process():
    me = identity(os.getpid())
    assert me is not None
    assert is_running(me)
    assert not is_running(type(me)(me.pid, me.created - 60))
    assert end(type(me)(me.pid, me.created - 60), signal.SIGKILL, 0)


def test_a_log_is_emptied_under_its_writer_and_its_past_kept(tmp_path: Path):
    log = tmp_path / "log"
    with log.open("ab") as writer:
        for number in range(5):
            writer.write(b"line %d\n" % number)
            writer.flush()
            rotate(log)
        writer.write(b"the last\n")
    assert log.read_text() == "the last\n"
    kept = [log.with_name(f"log.{number}").read_text() for number in (1, 2, 3)]
    assert kept == ["line 4\n", "line 3\n", "line 2\n"]
    assert len(list(tmp_path.iterdir())) == 4


def test_last_words_leave_traces_out(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text(
        'Traceback (most recent call last):\n  File "x"\n    y()\n    ^^^\nKeyError: 7\n'
    )
    assert last_words(log) == "KeyError: 7"
    assert last_words(tmp_path / "none") == ""


def test_ports_are_the_wanted_one_or_any_other():
    wanted = pick(None)
    assert pick(wanted) == wanted
    assert pick(wanted, [wanted]) != wanted
