"""Applies requesters' messages about merged requests to the matter that these were merged into."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from services.followup.domain import arrivals
from services.followup.domain.decision import Changed
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from services.followup.domain.steps.answering import OwnAnswer, answered_by_requester
from services.followup.store import matters
from shared.contracts.events import requests
from shared.delivery.cloudevents import Message
from shared.runtime.database import Connection

PASSED_ON: Final = (
    requests.RequestAmended,
    requests.RequestWithdrawn,
    requests.ReturnVisitAnswered,
)
"""What the holder of a receipt says; the owner of the matter that the request was merged into has to know of it."""


async def load_with_targets(conn: Connection, messages: Sequence[Message]) -> dict[str, Matter]:
    """Load and lock the matters of the messages, their merge targets, and the matters merged into a withdrawn one.

    Raises asyncpg.LockNotAvailableError when one was merged meanwhile into a matter that somebody else has locked.
    """
    ids = {UUID(message.subject) for message in messages}
    speaking = {UUID(each.subject) for each in messages if isinstance(each.event, PASSED_ON)}
    taken_back = [
        UUID(each.subject) for each in messages if isinstance(each.event, requests.RequestWithdrawn)
    ]
    if speaking:
        ids |= await matters.merge_targets(conn, speaking)
    loaded = await matters.load_with_merged(conn, ids, taken_back)
    wanted = _merged_into(loaded, speaking)
    while wanted:
        # Merged since they were looked up. Waiting for a lock out of order could be in a circle.
        further = await matters.load_locked_now(conn, wanted)
        loaded |= further
        wanted = _merged_into(loaded, {UUID(each) for each in further})
    return loaded


def _merged_into(loaded: Mapping[str, Matter], ids: set[UUID]) -> set[UUID]:
    """Load the matters that these were merged into and that are not loaded yet."""
    found = (loaded[str(each)].merging for each in ids if str(each) in loaded)
    return {UUID(each.into) for each in found if each is not None and each.into not in loaded}


def target_of(merged: Matter, loaded: Mapping[str, Matter]) -> Matter | None:
    """Return the last matter of the chain of merges that begins here; None when it is not loaded."""
    passed: set[str] = set()
    following: Matter | None = merged
    while following is not None and following.merging is not None:
        if following.id in passed:
            return None
        passed.add(following.id)
        following = loaded.get(following.merging.into)
    return following


def followed_in(
    matter: Matter, message: Message, moment: Moment, *, by_worker: bool = False
) -> Changed:
    """Decide on an event of a request that was merged into this matter."""
    match message.event:
        case requests.ReturnVisitAnswered() as said:
            answer = OwnAnswer(
                said.solved,
                said.satisfaction,
                said.words,
                said.round,
                message.subject,
                said.issued_to,
                by_worker,
            )
            return answered_by_requester(matter, answer, moment)
        case requests.RequestWithdrawn(reason=reason):
            return arrivals.withdrawn_from(matter, reason, moment, message.subject)
        case requests.RequestAmended(message=words):
            return arrivals.amend(matter, words, moment, message.subject)
        case other:
            raise TypeError(f"{type(other).__name__} is not passed on")
