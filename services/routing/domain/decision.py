"""Outcomes of a decision: the changed case with its facts, a refusal by name, or no change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from services.routing.domain.choice import Verdict
from services.routing.domain.facts import Fact, Offered
from services.routing.domain.matter import Case, Cause, Matter, ObjectionState, Offer
from services.routing.domain.moment import Acting
from shared.contracts.vocabulary import OfferState


@dataclass(frozen=True, slots=True)
class Placing:
    """A request for a new offer: the cause, and input to the choice.

    `decide_anew` asks the catalogue again, as at the beginning of each round. `answered` are those who are out of it.
    """

    cause: Cause
    decide_anew: bool = False
    ruled: str | None = None
    returning: str | None = None
    answered: Mapping[str, Verdict] | None = None


@dataclass(frozen=True, slots=True)
class Emitted:
    """A fact with its actor, and the matter after it; the matter's version is the event's."""

    fact: Fact
    by: Acting
    matter: Matter


@dataclass(frozen=True, slots=True)
class Changed:
    """The case after the step, with its facts in order. With `placing` it is incomplete until an offer is made."""

    case: Case
    emitted: tuple[Emitted, ...] = ()
    placing: Placing | None = None

    @property
    def matter(self) -> Matter:
        """The matter after the step."""
        return self.case.matter

    @property
    def made(self) -> Emitted | None:
        """The fact of the offer that the step led to; it comes last."""
        last = self.emitted[-1] if self.emitted else None
        return last if last is not None and isinstance(last.fact, Offered) else None


@dataclass(frozen=True, slots=True)
class NotYours:
    """The offer was made to another party."""


@dataclass(frozen=True, slots=True)
class NotOpen:
    """The offer has ended, also if its time ran out a moment ago."""

    state: OfferState


@dataclass(frozen=True, slots=True)
class ObjectionSpent:
    """The party has objected in this round already, and was ruled on."""


@dataclass(frozen=True, slots=True)
class SuggestsItself:
    """The party suggested itself as the better owner."""


@dataclass(frozen=True, slots=True)
class NoSuchOwner:
    """The suggested owner is not in the directory."""


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """The objection was ruled, lapsed, or lost its matter."""

    state: ObjectionState


Why: TypeAlias = NotYours | NotOpen | ObjectionSpent | SuggestsItself | NoSuchOwner | AlreadySettled


@dataclass(frozen=True, slots=True)
class Refused:
    """The step is refused. `offer` is the one that was answered, if the step was an answer."""

    why: Why
    case: Case
    offer: Offer | None = None

    @property
    def holder(self) -> Offer | None:
        """The matter's holder: the party of the open or accepted offer; None without one."""
        return self.case.holding


@dataclass(frozen=True, slots=True)
class Unmoved:
    """No change: the state is reached already, or the event is outdated."""

    because: str


Decision: TypeAlias = Changed | Refused | Unmoved


def emit(case: Case, fact: Fact, by: Acting, earlier: tuple[Emitted, ...] = ()) -> Changed:
    """Return the case with its matter at the next version, and `fact` after the `earlier` ones of the same step."""
    matter = replace(case.matter, version=case.matter.version + 1)
    return emit_on(Case(matter, case.offers, case.objections), fact, by, earlier)


def emit_on(after: Case, fact: Fact, by: Acting, earlier: tuple[Emitted, ...] = ()) -> Changed:
    """Like `emit`, for a case whose matter has its new version already: a copy is the costliest part."""
    return Changed(after, (*earlier, Emitted(fact, by, after.matter)))
