"""The base of every event: common fields, type name, topic."""

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from shared.contracts.fields import moments
from shared.contracts.vocabulary import Role


def _instant(given: object) -> datetime:
    if isinstance(given, str):
        return moments.read_recorded(given)
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given if given.tzinfo is UTC else given.astimezone(UTC)
    raise ValueError("a moment is a text with its offset")


def _recorded_day(given: object) -> date:
    if isinstance(given, str):
        return moments.read_recorded_day(given)
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise ValueError("a day is a text, YYYY-MM-DD")


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
"""A moment of an event, kept in UTC. Of any year: events of every age are read; what is sent is `fields.Moment`."""

RecordedDay = Annotated[date, BeforeValidator(_recorded_day)]
"""A day of an event, of any year; what is sent is `fields.Day`."""

REGISTRY: dict[str, type["Event"]] = {}
"""Every published event by its wire type; filled as the classes are defined."""


class Part(BaseModel):
    """A frozen piece of an event. Unknown fields are passed over: within a version, changes only add."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Actor(Part):
    """Who did it: the role, and the party's id (a liaison, a department, a desk, a system's URI)."""

    role: Role
    party: str


class Event(Part):
    """The data of one event; a subclass names its `TYPE` (without `liaison.` and the version) and its topic."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    TOPIC: ClassVar[str] = ""

    actor: Actor

    @classmethod
    def wire_type(cls) -> str:
        """The CloudEvents `type`, such as `liaison.request.registered.v1`."""
        return f"liaison.{cls.TYPE}.v{cls.VERSION}"

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.TYPE:
            if cls.wire_type() in REGISTRY:
                raise TypeError(f"two events are called {cls.wire_type()}")
            REGISTRY[cls.wire_type()] = cls


class MatterEvent(Event):
    """An event of one matter, which is its subject and its key."""

    matter_id: str
