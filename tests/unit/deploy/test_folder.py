"""The data folder: which paths it takes, and that it is for its owner alone."""

import os
from pathlib import Path

import pytest

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble


@pytest.mark.parametrize(
    "name",
    ["数据", "a,b", "a b", " a", "#", "50%", "k=v", "back\\slash", "it's", 'q"q', "a:b", "-x", "~",
     "~nobody-there", "$(id)", "*", "店小二 · 二", "𠮷", "e\u0301"],
)  # fmt: skip
def test_case_61_a_folder_of_any_name_is_made_where_it_was_said(name: str, tmp_path: Path):
    folder = Folder.at(tmp_path / name)
    folder.make()
    assert os.listdir(tmp_path) == [name]
    assert folder.exposed() == []


def test_case_61_a_tilde_is_home_only_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert Folder.at(Path("~/data")).root == tmp_path / "home" / "data"
    assert Folder.at(Path("~data")).root == tmp_path / "~data"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a\nb", "name"),
        ("\x1b[2J", "name"),
        (os.fsdecode(b"\xff\xfe"), "name"),
        ("é" * 500, "long"),
    ],
)
def test_case_61_a_folder_that_cannot_be_is_refused_by_name(name: str, key: str, tmp_path: Path):
    with pytest.raises(Trouble, match=rf"folder\.{key}"):
        Folder.at(tmp_path / name).make()
    assert os.listdir(tmp_path) == []


def test_case_82_a_folder_that_was_open_is_closed(tmp_path: Path):
    root = tmp_path / "data"
    root.mkdir(mode=0o755)
    (root / "kafka").mkdir(mode=0o755)
    folder = Folder.at(root)
    folder.make()
    assert all(part.stat().st_mode & 0o077 == 0 for part in (root, *root.iterdir()))


def test_case_82_a_folder_with_other_things_in_it_stays_as_it_is_and_its_parts_are_closed(
    tmp_path: Path,
):
    (tmp_path / "letter.txt").write_text("of somebody else")
    tmp_path.chmod(0o755)
    folder = Folder.at(tmp_path)
    folder.make()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert all(part.stat().st_mode & 0o077 == 0 for part in tmp_path.iterdir() if part.is_dir())
    (tmp_path / "logs").chmod(0o755)
    assert folder.exposed() == [tmp_path / "logs"]
