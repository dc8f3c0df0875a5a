"""What a decision is: the case changed with its facts, refused by name, or not moved."""

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
    """Somebody must be found: why, and what this brings to the choice.

    `decide_anew` asks the catalogue again, as at the beginning of each round. `answered` are those who are out of it.
    """

    cause: Cause
    decide_anew: bool = False
    ruled: str | None = None
    returning: str | None = None
    answered: Mapping[str, Verdict] | None = None


@dataclass(frozen=True, slots=True)
class Emitted:
    """A fact, who caused it, and the matter as the fact left it: its version is the event's."""

    fact: Fact
    by: Acting
    matter: Matter


@dataclass(frozen=True, slots=True)
class Changed:
    """The case after the step, with the facts in order. With `placing` it is complete once an offer is made."""

    case: Case
    emitted: tuple[Emitted, ...] = ()
    placing: Placing | None = None

    @property
    def matter(self) -> Matter:
        """The matter after the step."""
        return self.case.matter

    @property
    def made(self) -> Emitted | None:
        """The fact of the offer that the step led to; an offer comes last."""
        last = self.emitted[-1] if self.emitted else None
        return last if last is not None and isinstance(last.fact, Offered) else None


@dataclass(frozen=True, slots=True)
class NotYours:
    """The offer was made to somebody else."""


@dataclass(frozen=True, slots=True)
class NotOpen:
    """The offer has ended, and how; time that ran out a moment ago counts."""

    state: OfferState


@dataclass(frozen=True, slots=True)
class ObjectionSpent:
    """The party has objected once in this round already and was ruled upon."""


@dataclass(frozen=True, slots=True)
class SuggestsItself:
    """A better owner must be somebody else."""


@dataclass(frozen=True, slots=True)
class NoSuchOwner:
    """The suggested owner is no party of the town."""


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """The objection was ruled upon, ran out of time or lost its matter."""

    state: ObjectionState


Why: TypeAlias = NotYours | NotOpen | ObjectionSpent | SuggestsItself | NoSuchOwner | AlreadySettled


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changed. `offer` is the one that was answered, where the step was an answer."""

    why: Why
    case: Case
    offer: Offer | None = None

    @property
    def holder(self) -> Offer | None:
        """Who is offered or has the matter now, as far as anybody is."""
        return self.case.holding


@dataclass(frozen=True, slots=True)
class Unmoved:
    """Nothing to do: it is so already, or the news is of something that has passed."""

    because: str


Decision: TypeAlias = Changed | Refused | Unmoved


def emit(case: Case, fact: Fact, by: Acting, earlier: tuple[Emitted, ...] = ()) -> Changed:
    """The case with its matter one version on, and `fact` after the `earlier` ones of the same step."""
    matter = replace(case.matter, version=case.matter.version + 1)
    return emit_on(Case(matter, case.offers, case.objections), fact, by, earlier)


def emit_on(after: Case, fact: Fact, by: Acting, earlier: tuple[Emitted, ...] = ()) -> Changed:
    """The same for a case whose matter has its new version already: copying one costs more than all else."""
    return Changed(after, (*earlier, Emitted(fact, by, after.matter)))
