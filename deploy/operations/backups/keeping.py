"""Backup, restore and replay of histories, for running and stopped stacks and for external servers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from deploy.local.launcher.report import Step, Tell
from deploy.operations import replay
from deploy.operations.backups import freshness, restore
from deploy.operations.backups.archive import Archive, Manifest
from deploy.operations.backups.backup import back_up
from deploy.operations.database import database_of, started
from shared.service.settings import ServerSettings, read_settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A completed backup."""

    file: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Restored:
    """Result of a restore: the manifest, how many events of each service will be published again, the topics that will
    be read again, and whether the tokens file was restored.
    """

    manifest: Manifest
    events: dict[str, int]
    read_again: Sequence[str]
    tokens: bool


@dataclass(frozen=True, slots=True)
class Again:
    """Options of a replay of histories. `lost`: Kafka has lost everything and has no topics yet."""

    services: tuple[str, ...]
    after: int
    lost: bool
    receipts: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """How many events of each service were published again, or are marked for it."""

    events: dict[str, int]
    in_kafka: bool


def backed_up(folder: Folder, target: Path, tell: Tell) -> Kept:
    """Back up the stack of `folder` or of the settings. Raises Trouble, leaving no file behind."""
    with database_of(folder, tell) as database:
        tell(Step("backup"))
        return Kept(*asyncio.run(back_up(database.url, folder, target)))


def restored(folder: Folder, file: Path, tell: Tell) -> Restored:
    """Restore a backup into the database of the settings, or into a folder without a stack.

    Raises Trouble, with the database as it was.
    """
    with Archive.opened(file.expanduser()) as archive:
        topics = kafka_made_ready(folder, archive.manifest.made_at)
        restore.check(archive, tell)
        if url := read_settings(ServerSettings).database:
            events = asyncio.run(restore.restore(url, archive, tell))
        else:
            with started(folder, tell) as url:
                events = asyncio.run(restore.restore(url, archive, tell))
        tokens = restore.put_tokens_back(archive, folder)
        return Restored(archive.manifest, events, topics, tokens)


def kafka_made_ready(folder: Folder, made_at: datetime) -> Sequence[str]:
    kafka = read_settings(ServerSettings).kafka_address
    if kafka.bootstrap:
        return asyncio.run(freshness.make_ready(kafka, made_at))
    freshness.require_no_kafka(folder)
    return ()


def sent_again(folder: Folder, wanted: Again, tell: Tell) -> Sent:
    """Publish histories again, or mark them for it where no stack runs or Kafka was lost.

    Raises Trouble when what is asked for does not fit together, or when Kafka takes nothing.
    """
    if wanted.after and len(wanted.services) != 1:
        raise Trouble("replay.after")
    if wanted.receipts and (wanted.services != ("followup",) or wanted.after):
        raise Trouble("replay.receipts")
    with database_of(folder, tell) as database:
        if wanted.receipts:
            tell(Step("replay.receipts"))
            asyncio.run(replay.rebuild_receipts(database.url))
        url, names = database.url, wanted.services
        if wanted.lost or database.alone:
            return Sent(asyncio.run(replay.marked(url, names, wanted.after, tell)), in_kafka=False)
        return Sent(asyncio.run(replay.sent_again(url, names, wanted.after, tell)), in_kafka=True)
