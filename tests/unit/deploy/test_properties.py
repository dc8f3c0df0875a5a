"""Settings as Java reads them, and data that an earlier version's settings led elsewhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.common.trouble import Trouble
from deploy.local.embedded.properties import properties_text, read_property
from deploy.local.embedded.strays import META, bring_back

CLUSTER = "EGxpYWlzb24tY2x1c3Rlcg"
odd = st.text(st.characters(codec="utf-8") | st.sampled_from("\\=:#! ,\n\r\t\f数𠮷"), max_size=20)


@given(odd)
def test_case_61_a_setting_is_read_as_it_was_written_whatever_is_in_it(value: str):
    text = properties_text({"before": "1", "name": value, "after": "2"})
    assert text.isascii()
    assert text.count("\n") == 3
    assert read_property(text.encode("ascii"), "name") == value


def stray(folder: Path, cluster: str = CLUSTER) -> Path:
    folder.mkdir(parents=True)
    (folder / META).write_text(f"version=1\ncluster.id={cluster}\n")
    return folder


def earlier_settings(root: Path) -> Path:
    """The settings as an earlier version wrote them."""
    settings = root / "kafka" / "server.properties"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"node.id=1\nlog.dirs={root}/kafka/data\n", encoding="utf-8")
    return settings


@pytest.mark.parametrize("name", ["数据", "économie", "数 据", "Ѕ…"])
@pytest.mark.parametrize("locale", ["utf-8", "ascii"])
def test_case_61_data_that_java_wrote_elsewhere_are_taken_back(
    tmp_path: Path, name: str, locale: str
):
    settings = earlier_settings(tmp_path / name)
    read = name.encode().decode("latin-1")
    written = read if locale == "utf-8" else read.encode("ascii", "replace").decode()
    stray(tmp_path / written / "kafka" / "data")
    storage = settings.parent / "data"
    bring_back(settings, storage, CLUSTER)
    assert (storage / META).exists()
    assert storage.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    bring_back(settings, storage, CLUSTER)
    assert (storage / META).exists()


def test_case_61_data_in_several_folders_are_named_and_left(tmp_path: Path):
    settings = earlier_settings(tmp_path / "a,b")
    places = [stray(tmp_path / "a"), stray(settings.parent / "b" / "kafka" / "data")]
    with pytest.raises(Trouble, match=r"kafka\.elsewhere") as trouble:
        bring_back(settings, settings.parent / "data", CLUSTER)
    assert all(str(place) in trouble.value.params["folders"] for place in places)
    assert all((place / META).exists() for place in places)


def test_case_61_data_of_another_cluster_stay_where_they_are(tmp_path: Path):
    settings = earlier_settings(tmp_path / "数据")
    other = stray(tmp_path / "数据".encode().decode("latin-1") / "kafka" / "data", "another")
    bring_back(settings, settings.parent / "data", CLUSTER)
    assert (other / META).exists()
    assert not (settings.parent / "data").exists()
