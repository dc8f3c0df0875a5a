"""Identifiers: time-ordered UUIDs, drawn at the edges only."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUID of version 7 (RFC 9562)."""
    return uuid7()


def made_at(identifier: UUID) -> datetime | None:
    """When a version 7 UUID was drawn, to the millisecond; None for any other version."""
    if identifier.version != 7:
        return None
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
