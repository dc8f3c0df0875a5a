"""Kafka's files: fetched once, checked each time, needing no network afterwards."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.common.trouble import Trouble
from deploy.local.embedded import jars

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def small_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock with the three smallest jars, and a cache of the test's own."""
    chosen = sorted(jars.locked(), key=lambda jar: jar.size)[:3]
    lock = tmp_path / "lock.json"
    entries = [{"coordinate": j.coordinate, "sha256": j.sha256, "size": j.size} for j in chosen]
    lock.write_text(json.dumps({"kafka": jars.KAFKA, "jars": entries}))
    monkeypatch.setenv("LIAISON_CACHE", str(tmp_path / "cache"))
    return lock


def unheard(come: int, expected: int) -> None:
    raise AssertionError("nothing was to be fetched")


def test_what_was_fetched_once_needs_no_network(small_lock: Path, monkeypatch):
    heard: list[tuple[int, int]] = []
    fetched = jars.classpath(lambda come, expected: heard.append((come, expected)), small_lock)
    assert heard[0][0] == 0
    assert heard[-1][0] == heard[-1][1] == sum(jar.size for jar in jars.locked(small_lock))
    monkeypatch.setenv("LIAISON_MAVEN_URL", NOWHERE)
    assert jars.classpath(unheard, small_lock) == fetched


def test_a_damaged_file_is_noticed_and_replaced(small_lock: Path, monkeypatch):
    first, *_ = jars.classpath(lambda come, expected: None, small_lock)
    whole = first.read_bytes()
    first.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    monkeypatch.setenv("LIAISON_MAVEN_URL", NOWHERE)
    with pytest.raises(Trouble, match=r"jars\.unreachable"):
        jars.classpath(lambda come, expected: None, small_lock)
    monkeypatch.delenv("LIAISON_MAVEN_URL")
    jars.classpath(lambda come, expected: None, small_lock)
    assert first.read_bytes() == whole


def test_a_file_that_is_not_the_locked_one_is_refused(small_lock: Path):
    content = json.loads(small_lock.read_text())
    content["jars"][0]["sha256"] = "0" * 64
    small_lock.write_text(json.dumps(content))
    with pytest.raises(Trouble, match=r"jars\.differ"):
        jars.classpath(lambda come, expected: None, small_lock)
    assert not (jars.folder(small_lock) / jars.locked(small_lock)[0].filename).exists()
    assert not list(jars.folder(small_lock).glob(".fetch-*"))


def test_the_lock_is_of_the_version_that_is_named():
    content = json.loads(jars.LOCK.read_text())
    assert content["kafka"] == jars.KAFKA
    names = {entry["coordinate"] for entry in content["jars"]}
    assert {root.rstrip("!") for root in jars.ROOTS} <= names
    assert len({jar.filename for jar in jars.locked()}) == len(content["jars"])


def test_a_cache_that_cannot_be_written_is_named(small_lock: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIAISON_CACHE", str(tmp_path / "file"))
    with pytest.raises(Trouble, match=r"cache\.unwritable"):
        jars.classpath(unheard, small_lock)


@contextmanager
def proxy(heard: list[bytes]) -> Iterator[int]:
    """Something that takes connections, keeps the first bytes of each and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    heard.append(caller.recv(200))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("variable", "scheme", "first"),
    [("HTTPS_PROXY", "http", b"CONNECT repo.maven"), ("ALL_PROXY", "socks5h", b"\x05")],
)
def test_case_60_a_download_goes_by_the_shells_proxy_and_says_so_when_that_fails(
    small_lock: Path, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, first: bytes
):
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("LIAISON_MAVEN_URL", "https://repo.maven.example/maven2")
    heard: list[bytes] = []
    with proxy(heard) as port:
        monkeypatch.setenv(variable, f"{scheme}://127.0.0.1:{port}")
        with pytest.raises(Trouble, match=r"jars\.unreachable"):
            jars.classpath(lambda come, expected: None, small_lock)
    assert heard
    assert all(said.startswith(first) for said in heard)
