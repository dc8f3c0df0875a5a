"""A backup's file: whole or not there, and read only when it is what it says of itself."""

import fcntl
import json
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.common.trouble import Trouble
from deploy.operations.backups.archive import (
    FORMAT,
    MANIFEST,
    TOKENS,
    Archive,
    Manifest,
    Rows,
    made,
)
from deploy.operations.backups.backup import named

CONTENT = b"".join(f"{number}\t{'x' * (number % 90)}\n".encode() for number in range(9_000))


def manifest(content: bytes, sha256: str, tokens_sha256: str | None = None) -> Manifest:
    rows = Rows(
        schema_name="intake",
        table="request",
        columns=("a", "b"),
        rows=9_000,
        bytes=len(content),
        sha256=sha256,
    )
    return Manifest(
        format=FORMAT,
        made_at=datetime(2026, 3, 2, tzinfo=UTC),
        version="0.1.0",
        migrations={"intake": {}},
        heads={"intake": 7},
        sequences={},
        tables=(rows,),
        tokens_sha256=tokens_sha256,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "town.zip"
    with made(target) as writer:
        tokens = writer.put(TOKENS, b"[]")
        sha256 = writer.put("intake/request.copy", CONTENT)
        described = manifest(CONTENT, sha256, tokens)
        writer.put(MANIFEST, described.model_dump_json().encode())
    return target


def trouble_of(file: Path) -> str:
    """Which trouble it is to open and check a file."""
    with pytest.raises(Trouble) as raised, Archive.opened(file) as archive:
        archive.check(lambda come, expected: None)
    return raised.value.key


def test_it_is_one_file_for_its_owner_alone(file: Path):
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == [file.name]


async def test_what_was_written_is_read(file: Path):
    told: list[tuple[int, int]] = []
    with Archive.opened(file) as archive:
        archive.check(lambda come, expected: told.append((come, expected)))
        [rows] = archive.manifest.tables
        assert b"".join([block async for block in archive.rows(rows)]) == CONTENT
        assert archive.tokens() == b"[]"
        assert archive.manifest.heads == {"intake": 7}
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_one_that_was_not_finished_is_not_there(tmp_path: Path):
    target = tmp_path / "town.zip"
    with pytest.raises(ZeroDivisionError), made(target) as writer:
        writer.put("intake/request.copy", bytes(1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_has_left_is_no_backup_and_in_nobody_s_way(tmp_path: Path):
    target = tmp_path / "town.zip"
    (tmp_path / ".town.zip.partial").write_bytes(b"half" * 100_000)
    with made(target) as writer:
        writer.put(MANIFEST, b"{}")
    assert zipfile.ZipFile(target).namelist() == [MANIFEST]
    assert [each.name for each in tmp_path.iterdir()] == ["town.zip"]


def test_it_replaces_nothing(file: Path):
    before = file.read_bytes()
    with pytest.raises(Trouble, match=r"backup\.exists"), made(file):
        pass
    assert file.read_bytes() == before


def test_two_do_not_write_one_file(tmp_path: Path):
    target = tmp_path / "town.zip"
    with (tmp_path / ".town.zip.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Trouble, match=r"backup\.busy"), made(target):
            pass


@pytest.mark.parametrize("target", ["nowhere/town.zip", "a_file/town.zip"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, target: str):
    (tmp_path / "a_file").touch()
    with pytest.raises(Trouble, match=r"backup\.unwritable"), made(tmp_path / target):
        pass


def test_a_folder_is_given_a_file_of_this_moment(tmp_path: Path):
    now = datetime(2026, 3, 2, 9, 30, 1, tzinfo=UTC)
    assert named(tmp_path, now) == tmp_path / "liaison-20260302T093001Z.zip"
    assert named(tmp_path / "town.zip", now) == tmp_path / "town.zip"


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_one_that_was_cut_short_is_damaged(file: Path, part: float):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    assert trouble_of(file) == "restore.damaged"


def test_a_flipped_bit_anywhere_is_damage_or_harmless(file: Path):
    whole, content = entries(file), file.read_bytes()
    damaged = 0
    places = range(0, len(content), len(content) // 40)
    for place in places:
        file.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        with suppress(Trouble), Archive.opened(file) as archive:
            archive.check(lambda come, expected: None)
            # A zip says some things twice, and of some nobody asks.
            assert entries(file) == whole, place
            continue
        assert trouble_of(file) == "restore.damaged", place
        damaged += 1
    assert damaged > len(places) * 3 // 4


def entries(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_another_content_than_the_manifest_s_is_damage(file: Path):
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("intake/request.copy", CONTENT.replace(b"x", b"y"))
    assert trouble_of(file) == "restore.damaged"


def test_one_of_a_later_format_is_named_so_whatever_else_it_says(file: Path):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT + 1, "parts": "elsewhere"}))
    assert trouble_of(file) == "restore.newer"


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"format": 1}'])
def test_a_manifest_that_says_nothing_is_damage(file: Path, content: bytes):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, content)
    assert trouble_of(file) == "restore.damaged"


def test_an_entry_that_is_missing_is_damage(file: Path):
    whole = entries(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, whole[MANIFEST])
    assert trouble_of(file) == "restore.damaged"


def test_what_is_no_backup_is_named_so(tmp_path: Path):
    (tmp_path / "text").write_text("no zip")
    assert trouble_of(tmp_path / "text") == "restore.damaged"
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("other", "thing")
    assert trouble_of(tmp_path / "zip") == "restore.damaged"
    assert trouble_of(tmp_path / "nothing") == "restore.unreadable"
    assert trouble_of(tmp_path) == "restore.unreadable"
