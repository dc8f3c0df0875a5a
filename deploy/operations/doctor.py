"""Diagnoses a stack: checks for common problems and names a remedy for each."""

import getpass
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from deploy.common.folder import Folder, read_json
from deploy.local.embedded import jars
from deploy.local.embedded.ports import is_free
from deploy.local.launcher import running
from deploy.local.launcher.servers import USUAL
from deploy.operations.status import status

OLDEST_PYTHON = (3, 11)
SCARCE_BYTES, FEW_BYTES = 500_000_000, 2_000_000_000
NEEDED_MEMORY = 1_000_000_000
OLD_OUTBOX_SECONDS = 60.0

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check; `key` names its messages, what was found and the remedy."""

    level: Level
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


def examine(folder: Folder) -> list[Finding]:
    """Run all checks; return the findings, most important first."""
    return [*machine(folder), *data_folder(folder), *stack(folder)]


def machine(folder: Folder) -> Iterator[Finding]:
    version = ".".join(str(number) for number in sys.version_info[:3])
    good = sys.version_info[:2] >= OLDEST_PYTHON
    yield Finding("good" if good else "bad", "python", {"version": version})
    there = nearest(folder.root)
    free = shutil.disk_usage(there).free
    level: Level = "bad" if free < SCARCE_BYTES else "note" if free < FEW_BYTES else "good"
    yield Finding(level, "disk", {"folder": there, "free": round(free / 1e9, 1)})
    memory = psutil.virtual_memory().available
    enough = memory >= NEEDED_MEMORY
    yield Finding("good" if enough else "note", "memory", {"free": round(memory / 1e9, 1)})
    missing = [jar for jar in jars.locked() if not (jars.folder() / jar.filename).is_file()]
    count = {"missing": len(missing), "folder": jars.folder()}
    yield Finding("note", "jars.missing", count) if missing else Finding("good", "jars", count)


def data_folder(folder: Folder) -> Iterator[Finding]:
    if not folder.root.exists():
        yield Finding("note", "folder.absent", {"folder": folder.root})
        return
    if not os.access(folder.root, os.W_OK | os.X_OK):
        yield Finding(
            "bad", "folder.unwritable", {"folder": folder.root, "reason": getpass.getuser()}
        )
        return
    if exposed := folder.exposed():
        yield Finding("bad", "folder.exposed", {"folders": ", ".join(map(str, exposed))})
    else:
        yield Finding("good", "folder", {"folder": folder.root})
    left = [] if folder.is_held else running.left_over(folder)
    if left:
        names = ", ".join(f"{part.name} ({part.who.pid})" for part in left)
        yield Finding("bad", "leftovers", {"parts": names, "folder": folder.root})


def stack(folder: Folder) -> Iterator[Finding]:
    if not folder.is_held:
        yield Finding("note", "stopped", {"folder": folder.root})
        yield from usual_ports(folder)
        return
    now = status(folder)
    yield from (part_finding(part, folder) for part in now["parts"])
    for name, age in now["outbox_age_s"].items():
        if age > OLD_OUTBOX_SECONDS:
            yield Finding("bad", "outbox", {"service": name, "seconds": round(age)})
    if count := now.get("limits_to_move", 0):
        yield Finding("note", "limits", {"count": count})
    if found := now.get("disagreements"):
        matters = sorted({each["matter_id"] for each in found})
        words = {"count": len(matters), "matters": ", ".join(matters[:3])}
        yield Finding("bad", "disagreements", words)
    yield from counted(now)


def counted(now: Mapping[str, Any]) -> Iterator[Finding]:
    """Return findings for records that are held back, were deleted unread, or are dead letters."""
    levels: dict[str, Level] = {"held": "note", "records_lost": "bad", "dead_letters": "bad"}
    for key, level in levels.items():
        for name, count in now.get(key, {}).items():
            if count:
                yield Finding(level, key, {"service": name, "count": count})


def part_finding(part: Mapping[str, Any], folder: Folder) -> Finding:
    words = {"part": part["name"], "pid": part["pid"], "restarts": part["restarts"]}
    if not part["ready"]:
        return Finding("bad", "part.unready", {**words, "folder": folder.logs})
    if part["restarts"]:
        return Finding("note", "part.restarted", {**words, "folder": folder.logs})
    return Finding("good", "part", words)


def usual_ports(folder: Folder) -> Iterator[Finding]:
    kept: dict[str, Any] = read_json(folder.remembered) or {}
    for name, port in {**USUAL, **kept.get("ports", {})}.items():
        if not is_free(port):
            yield Finding("note", "port", {"name": name, "port": port})


def nearest(path: Path) -> Path:
    """Return the path itself, or its nearest existing parent."""
    return path if path.exists() else nearest(path.parent)
