"""Moves Kafka's data back into the data folder when an earlier version wrote them elsewhere.

It put the folder's path unescaped into Kafka's settings. Java reads these as Latin-1, and `log.dirs` is a list: a path
with other characters, or with a comma, named folders elsewhere.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy.common.trouble import Trouble
from deploy.local.embedded.properties import read_property

META = "meta.properties"
BLANKS = "".join(map(chr, range(33)))
"""What Java trims; Python would take more characters for blanks."""
_COMMA = re.compile(r"\s*,\s*", re.ASCII)


def bring_back(settings: Path, storage: Path, cluster_id: str) -> None:
    """Move the cluster's data to `storage` if the `settings` of an earlier version placed them elsewhere.

    Raises Trouble, with nothing moved, when they lie in several folders or cannot be moved.
    """
    found = sorted(set(strays(settings, cluster_id)))
    if not found or (storage / META).exists():
        return
    names = ", ".join(str(folder) for folder in found)
    if len(found) > 1:
        raise Trouble("kafka.elsewhere", folders=names, wanted=storage)
    try:
        if storage.exists():
            storage.rmdir()
        shutil.move(found[0], storage)
        storage.chmod(0o700)
    except OSError as fault:
        raise Trouble("kafka.elsewhere", folders=names, wanted=storage) from fault
    remove_empty(found[0].parent)


def strays(settings: Path, cluster_id: str) -> Iterator[Path]:
    """Return the folders outside the data folder that hold data of this cluster, by its old settings."""
    try:
        named = read_property(settings.read_bytes(), "log.dirs")
    except FileNotFoundError:
        return
    for one in _COMMA.split((named or "").strip(BLANKS)):
        for place in places_of(one, settings.parent):
            with suppress(OSError):
                content = (place / META).read_bytes()
                if read_property(content, "cluster.id") == cluster_id:
                    yield place.resolve()


def places_of(name: str, base: Path) -> Iterator[Path]:
    """Return where Java created a folder of this name: in UTF-8, or in a locale that lacks the characters."""
    for spelling in (name, name.encode("ascii", "replace").decode()):
        if spelling:
            yield base / spelling
            yield Path("/") / spelling


def remove_empty(folder: Path) -> None:
    """Remove a folder and its parents as long as they are empty."""
    with suppress(OSError):
        folder.rmdir()
        remove_empty(folder.parent)
