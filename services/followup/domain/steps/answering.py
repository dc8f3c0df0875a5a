"""The requester's own answer to the return visit: when it counts, and when it is kept as a message."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.followup.domain.access import may_visit
from services.followup.domain.decision import Changed, emit
from services.followup.domain.facts import Amended
from services.followup.domain.matter import Matter, Visit
from services.followup.domain.moment import ActingParty, Moment
from services.followup.domain.steps.resolution import (
    Reopen,
    ReturnVisit,
    another_round,
    record_visit,
    reopening_refused,
)
from shared.contracts.vocabulary import Amendment, MatterState, ReopenCause, Role, VisitState


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """The requester's answer by receipt, for a round (None: the present one).

    `issued_to` are the party that was given the receipt and those it speaks for; empty where that is the requester.
    `by_worker`: the history shows one of them in the work, in whatever round.
    `request_id` is set where it came by the receipt of a request that was merged into the matter.
    """

    solved: bool
    satisfaction: int
    words: str | None = None
    round: int | None = None
    request_id: str | None = None
    issued_to: tuple[str, ...] = ()
    by_worker: bool = False


def answered_by_requester(matter: Matter, answer: OwnAnswer, moment: Moment) -> Changed:
    """Decide on the requester's own answer, which overrides a visit recorded by staff until closing is final.

    An own answer to a closed matter that is not content begins another round. What cannot count any more, a second
    answer of a round or one to a round that has passed, is kept as the requester's words; so is an answer by a receipt
    that was given to who did any of the work, and a visit by somebody else stays due.
    """
    if answer.by_worker or has_worked(matter, answer.issued_to):
        return _recorded_as_words(matter, answer, moment)
    step = ReturnVisit(True, True, answer.solved, answer.satisfaction, answer.words)
    current = answer.round in (None, matter.round) and matter.visit is not None
    first = not _is_own(matter.visit)
    if matter.state is MatterState.HANDLED and current and first:
        return record_visit(matter, step, moment)
    if matter.state is MatterState.CLOSED and current:
        if reopening_refused(matter, moment) is not None:
            return _recorded_as_words(matter, answer, moment)
        visited = record_visit(matter, step, moment)
        if visited.matter.visit is None or visited.matter.visit.content:
            return visited if first else _recorded_as_words(matter, answer, moment)
        cause = ReopenCause.DISSATISFIED if answer.solved else ReopenCause.NOT_SOLVED
        return another_round(visited.matter, Reopen(cause, answer.words or ""), moment, visited)
    return _recorded_as_words(matter, answer, moment)


def has_worked(matter: Matter, parties: Iterable[str]) -> bool:
    """Return whether any of these parties worked on the matter and so may not make the return visit."""
    return any(not may_visit(matter, ActingParty(Role.LIAISON, party)) for party in parties)


def _is_own(visit: Visit | None) -> bool:
    visitor = visit.visitor if visit is not None and visit.state is VisitState.DONE else None
    return visitor is not None and visitor.role is Role.REQUESTER


def _recorded_as_words(matter: Matter, answer: OwnAnswer, moment: Moment) -> Changed:
    fact = Amended(
        answer.words or "",
        Amendment.ANSWER,
        answer.request_id,
        answer.solved,
        answer.satisfaction,
    )
    return emit(matter, fact, moment)
