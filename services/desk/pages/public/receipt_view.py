"""The view model of a receipt's page: intake's status as words, and moments of the town's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from services.desk.pages.wording import MomentInWords
from shared.contracts.vocabulary import MatterState
from shared.messages.catalogue import text

_OVER: Final = frozenset(
    {MatterState.CLOSED, MatterState.MERGED, MatterState.REJECTED, MatterState.WITHDRAWN}
)
"""States after which nothing more is promised."""


@dataclass(frozen=True, slots=True)
class HappenedLine:
    """One thing that happened; `words` are somebody's own."""

    at: MomentInWords
    label: str
    words: str | None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """What the holder reads; what is None is not shown. `may` are the steps that are open now."""

    summary: str
    state: str
    state_label: str
    next_words: str
    received: MomentInWords
    owner: str | None
    due: MomentInWords | None
    is_late: bool
    answer: str | None
    outcome: str | None
    reopen_until: MomentInWords | None
    is_joined: bool
    reason: str | None
    channel: str | None
    may: frozenset[str]
    happened: tuple[HappenedLine, ...]


def receipt_view(status: Mapping[str, Any], now: datetime, zone: tzinfo, lang: str) -> ReceiptView:
    """The page's words for a RequestStatus of intake; the latest of what happened comes first."""
    state = MatterState(status["state"])
    rejection = status["rejection"] or {}
    due = None if state in _OVER else _moment(status["next_due_at"], zone, lang)
    lines = [
        HappenedLine(moment_of(entry["at"], zone, lang), entry["label"], entry.get("words"))
        for entry in status["timeline"]
    ]
    return ReceiptView(
        summary=status["summary"],
        state=state.value,
        state_label=status["state_label"],
        next_words=text(f"receipt.next.{state}", lang),
        received=moment_of(status["received_at"], zone, lang),
        owner=status["owner"],
        due=due,
        is_late=due is not None and datetime.fromisoformat(due.iso) < now,
        answer=status["answer"],
        outcome=text(f"receipt.outcome.{status['outcome']}", lang) if status["outcome"] else None,
        reopen_until=_moment(status["reopen_until"], zone, lang),
        is_joined=status["merged_into"] is not None,
        reason=rejection.get("reason"),
        channel=rejection.get("channel"),
        may=frozenset(status["may"]),
        happened=tuple(reversed(lines)),
    )


def _moment(written: str | None, zone: tzinfo, lang: str) -> MomentInWords | None:
    return None if written is None else moment_of(written, zone, lang)


def moment_of(written: str, zone: tzinfo, lang: str) -> MomentInWords:
    """A moment as intake writes it (RFC 3339), whole, since the page is printed."""
    local = datetime.fromisoformat(written).astimezone(zone)
    return MomentInWords(local.isoformat(timespec="minutes"), text("page.at.year", lang, at=local))
