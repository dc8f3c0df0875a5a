"""The end of a round and the start of the next: handle, return visit, close, reopen, reject."""

from dataclasses import dataclass, replace

from services.followup.domain import clocks
from services.followup.domain.access import Step, concerned, guard, unfinished_milestones
from services.followup.domain.decision import (
    Changed,
    Decision,
    Refusal,
    Refused,
    Unmoved,
    emit,
    refuse,
)
from services.followup.domain.facts import Closed, Handled, Rejected, Reopened, Visited
from services.followup.domain.matter import Closing, Handling, Matter, Visit, with_offer_ended
from services.followup.domain.moment import Moment
from services.followup.domain.steps.work import contacted, handling_limit
from shared.calendar import Limit
from shared.contracts.vocabulary import (
    ClockKind,
    MatterState,
    OfferState,
    Outcome,
    Path,
    ReopenCause,
    VisitState,
)


@dataclass(frozen=True, slots=True)
class Handle:
    """The result of the work, in words for the requester. The default path is charted if there is a chart."""

    outcome: Outcome
    answer: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class ReturnVisit:
    """The result of a return visit, or that nobody was reached. `workers` did any of the work in any round."""

    reached: bool
    answered: bool | None = None
    solved: bool | None = None
    satisfaction: int | None = None
    words: str | None = None
    workers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Close:
    """A closing; without an answered return visit it needs an exemption by somebody not among the `workers`."""

    exemption: str | None = None
    workers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reopen:
    """The reason for another round."""

    cause: ReopenCause
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejection: reason and lawful channel; in a later round by somebody not among the `workers`."""

    reason: str
    channel: str
    workers: frozenset[str] = frozenset()


def handle(matter: Matter, step: Handle, moment: Moment) -> Decision:
    """Record the work as done and start the clock of the return visit."""
    if refused := guard(matter, Step.HANDLE, moment.by):
        return refused
    if step.outcome is Outcome.WITHDRAWN:
        return refuse(matter, Refusal.OUTCOME_NOT_GIVEN, outcome=step.outcome)
    if step.path is Path.INSTANT and matter.path is Path.CHARTED:
        return refuse(matter, Refusal.PATH_IS_CHARTED)
    if unfinished := unfinished_milestones(matter):
        return refuse(matter, Refusal.MILESTONES_OPEN, milestones=unfinished)
    on_time = _on_time(matter, moment)
    path = step.path or matter.path or Path.INSTANT
    after = replace(
        with_offer_ended(contacted(matter, moment.at), OfferState.RESCINDED),
        state=MatterState.HANDLED,
        path=path,
        handling=Handling(
            step.outcome,
            step.answer,
            path,
            moment.by,
            moment.at,
            on_time,
            path is Path.INSTANT and _at_once(matter, moment),
        ),
        visit=Visit(VisitState.DUE),
        clocks=(_visit_clock(matter, moment),),
    )
    return emit(after, Handled(step.outcome, step.answer, path, on_time), moment)


def _on_time(matter: Matter, moment: Moment) -> bool:
    """Return whether the round's handling limit was never broken, extended or not."""
    limit = clocks.find(matter.clocks, ClockKind.HANDLE)
    missed = any(
        each.clock is ClockKind.HANDLE and each.round == matter.round for each in matter.breaches
    )
    return not missed and (limit is None or (not limit.missed and moment.at <= limit.due_at))


def _at_once(matter: Matter, moment: Moment) -> bool:
    limit = moment.limits_of(matter.category).first_contact
    return moment.at <= moment.after(limit, matter.taken_at)


def _visit_clock(matter: Matter, moment: Moment) -> clocks.Clock:
    limit = moment.limits_of(matter.category).return_visit
    return clocks.begin(ClockKind.RETURN_VISIT, limit, moment.at, moment.calendar)


def return_visit(matter: Matter, step: ReturnVisit, moment: Moment) -> Decision:
    """Record a return visit by somebody who did none of the work; a satisfied requester closes the matter."""
    if refused := guard(matter, Step.RETURN_VISIT, moment.by):
        return refused
    if moment.by.party in step.workers:
        return refuse(matter, Refusal.NOT_INDEPENDENT)
    if matter.visit is not None and matter.visit.state is VisitState.DONE:
        return refuse(matter, Refusal.VISIT_DONE)
    said = (step.answered, step.solved, step.satisfaction)
    if step.reached and step.solved is None:
        return refuse(matter, Refusal.VISIT_INCOMPLETE)
    if not step.reached and any(each is not None for each in said):
        return refuse(matter, Refusal.VISIT_INCOMPLETE)
    return record_visit(matter, step, moment) if step.reached else _unreached(matter, step, moment)


def _unreached(matter: Matter, step: ReturnVisit, moment: Moment) -> Changed:
    attempts = (matter.visit.attempts if matter.visit else 0) + 1
    after = replace(
        matter,
        visit=Visit(VisitState.UNREACHED, attempts, moment.by, moment.at, words=step.words),
        clocks=(_visit_clock(matter, moment),),
    )
    return emit(after, Visited(False, False, None, None, step.words, attempts), moment)


def record_visit(matter: Matter, step: ReturnVisit, moment: Moment) -> Changed:
    """Return the matter with the answer replacing any earlier visit of the round; a satisfied one closes it."""
    attempts = (matter.visit.attempts if matter.visit else 0) + 1
    answered = step.answered is not False
    visit = Visit(
        VisitState.DONE,
        attempts,
        moment.by,
        moment.at,
        answered,
        step.solved,
        step.satisfaction,
        step.words,
    )
    fact = Visited(True, answered, step.solved, step.satisfaction, step.words, attempts)
    if matter.state is MatterState.CLOSED:
        return emit(replace(matter, visit=visit), fact, moment)
    if visit.content:
        emitted = emit(replace(matter, visit=visit, clocks=_decision_clock(moment)), fact, moment)
        return _closed(emitted.matter, None, moment, emitted)
    return emit(replace(matter, visit=visit, clocks=_decision_clock(moment)), fact, moment)


def _decision_clock(moment: Moment) -> clocks.Clocks:
    """Return the clock of the decision on an answer, due by the next working day."""
    return (clocks.begin(ClockKind.REVIEW, Limit.days(1), moment.at, moment.calendar),)


def close(matter: Matter, step: Close, moment: Moment) -> Decision:
    """Close a matter whose requester is not satisfied or, with a named exemption, has not answered."""
    if matter.state is MatterState.CLOSED:
        return Unmoved("it is closed already")
    if refused := guard(matter, Step.CLOSE, moment.by):
        return refused
    answered = matter.visit is not None and matter.visit.state is VisitState.DONE
    if not answered and not step.exemption:
        return refuse(matter, Refusal.VISIT_NOT_ANSWERED)
    if not answered and moment.by.party in step.workers | concerned(matter):
        return refuse(matter, Refusal.EXEMPTS_ITSELF)
    return _closed(matter, None if answered else step.exemption, moment)


def _closed(
    matter: Matter, exemption: str | None, moment: Moment, earlier: Changed | None = None
) -> Changed:
    outcome = matter.handling.outcome if matter.handling else Outcome.RESOLVED
    until = moment.after(moment.limits_of(matter.category).reopening)
    closing = Closing(moment.at, exemption, until)
    settled = replace(matter, state=MatterState.CLOSED, clocks=(), closing=closing)
    return emit(settled, Closed(outcome, exemption), moment, earlier.emitted if earlier else ())


def reopen(matter: Matter, step: Reopen, moment: Moment) -> Decision:
    """Begin another round, within the limit after closing, or at once when the requester is not satisfied."""
    if refused := guard(matter, Step.REOPEN, moment.by):
        return refused
    if refused := reopening_refused(matter, moment):
        return refused
    return another_round(matter, step, moment)


def another_round(
    matter: Matter, step: Reopen, moment: Moment, earlier: Changed | None = None
) -> Changed:
    """Return the matter in its next round, after the `earlier` facts of the same step."""
    limits = moment.limits_of(matter.category)
    starts = (
        (ClockKind.INTERIM, limits.interim),
        (ClockKind.HANDLE, handling_limit(matter, moment)),
    )
    another = replace(
        matter,
        state=MatterState.AWAITING_DISPATCH,
        round=matter.round + 1,
        round_began_at=moment.at,
        clocks=tuple(
            clocks.begin(kind, limit, moment.at, moment.calendar) for kind, limit in starts
        ),
        offer=None,
        owner=None,
        taken_at=None,
        contacted_at=None,
        shelf=None,
        aside=(),
        path=None if all(each.is_finished for each in matter.milestones) else matter.path,
        handling=None,
        visit=None,
        closing=None,
    )
    fact = Reopened(step.cause, step.reason, matter.last_owner)
    return emit(another, fact, moment, earlier.emitted if earlier else ())


def reopening_refused(matter: Matter, moment: Moment) -> Refused | None:
    """Return why no further round can begin; None when one can."""
    if matter.closing is not None:
        limit = moment.limits_of(matter.category).reopening
        until = moment.after(limit, matter.closing.at)
        if moment.at > until:
            return refuse(matter, Refusal.REOPENING_TOO_LATE, until=until, matter_id=matter.id)
        return None
    if matter.visit is None or matter.visit.state is not VisitState.DONE:
        return refuse(matter, Refusal.VISIT_NOT_DISSATISFIED)
    return None


def reject(matter: Matter, step: Reject, moment: Moment) -> Decision:
    """Reject the matter 不予受理 before anybody accepted it in this round, with the reason and the lawful channel.

    Whoever worked in an earlier round does not end in this way what the requester was not content with.
    """
    if refused := guard(matter, Step.REJECT, moment.by):
        return refused
    if matter.round > 1 and moment.by.party in step.workers | concerned(matter):
        return refuse(matter, Refusal.REJECTS_OWN_WORK)
    rejected = replace(
        with_offer_ended(matter, OfferState.RESCINDED),
        state=MatterState.REJECTED,
        clocks=(),
        pending=None,
    )
    return emit(rejected, Rejected(step.reason, step.channel), moment)
