"""Optimistic locking by If-Match (RFC 9110, 13.1.1): a version conflict is 412."""

import re
from collections.abc import Sequence
from typing import Final

from shared.runtime.errors import Problem

_ITEM: Final = re.compile(
    r'[ \t]*(?:(?P<weak>W/)?"(?P<tag>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|\Z)'
)
# Caddy, Apache and Jetty append to a tag how they compressed the answer.
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(?:--?(?:gzip|br|zstd|deflate))?", re.ASCII)
_UNQUOTED: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


def expected_versions(lines: Sequence[str]) -> frozenset[int] | None:
    """Return the versions that a change accepts, from all lines of If-Match; None for any (no line, or `*`).

    Weak tags and tags that are no version match nothing. A single number without quotes counts as a tag.
    Raises ValueError for what is no list of tags.
    """
    if not lines:
        return None
    # Several lines are one list (RFC 9110, 5.3).
    written = ", ".join(lines).strip(" \t")
    if written == "*":
        return None
    if _UNQUOTED.fullmatch(written):
        return frozenset({int(written)})
    return _versions(written)


def _versions(written: str) -> frozenset[int]:
    versions, tags, place = set(), 0, 0
    while place < len(written):
        item = _ITEM.match(written, place)
        if item is None:
            raise ValueError("not a list of entity tags")
        place = item.end()
        if item["tag"] is None:
            continue
        tags += 1
        version = _VERSION.fullmatch(item["tag"])
        if version is not None and item["weak"] is None:
            versions.add(int(version[1]))
    if not tags:
        raise ValueError("a list without an entity tag")
    return frozenset(versions)


def version_moved(version: int) -> Problem:
    """Return the 412 for a version conflict; it names the latest version, also in an ETag."""
    return Problem(
        412,
        "version_moved",
        params={"version": version},
        headers={"etag": f'"{version}"'},
        members={"version": version},
    )
