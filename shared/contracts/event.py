"""What every event has in common, and how its name and topic are declared; it knows nothing of Kafka."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from shared.contracts.vocabulary import Role


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment must lie in the years 1 to 9999 of UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with its zone, kept in UTC."""

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
