"""What routing says on `liaison.directory`: each entry whole, as it is from now on.

The topic is compacted, so that the newest event of each key says all. A phone number is in none of them.
"""

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.events.event import Event, Instant
from shared.contracts.vocabulary import Tier


class DirectoryEvent(Event):
    """An entry of the directory was made or changed."""

    TOPIC: ClassVar[str] = topics.DIRECTORY

    @property
    def entry(self) -> str:
        """The event's subject: the kind of entry and its id, as ids of different kinds may be the same."""
        raise NotImplementedError


class DepartmentChanged(DirectoryEvent):
    """A department, whose desk is offered matters under the department's id; the subject is `department/<id>`."""

    TYPE: ClassVar[str] = "department.changed"

    department_id: str
    name: str

    @property
    def entry(self) -> str:
        """The event's subject."""
        return f"department/{self.department_id}"


class LiaisonChanged(DirectoryEvent):
    """A liaison and the department that they belong to; the subject is `liaison/<id>`."""

    TYPE: ClassVar[str] = "liaison.changed"

    liaison_id: str
    name: str
    department_id: str

    @property
    def entry(self) -> str:
        """The event's subject."""
        return f"liaison/{self.liaison_id}"


class EnterpriseChanged(DirectoryEvent):
    """An enterprise with its park and its weight in the town; the subject is `enterprise/<uscc>`."""

    TYPE: ClassVar[str] = "enterprise.changed"

    uscc: str
    name: str
    park: str | None = None
    industry: str | None = None
    tier: Tier

    @property
    def entry(self) -> str:
        """The event's subject."""
        return f"enterprise/{self.uscc}"


class AbsenceChanged(DirectoryEvent):
    """A liaison is away from `from_at` up to but not at `until_at`; the subject is `absence/<liaison>/<id>`."""

    TYPE: ClassVar[str] = "absence.changed"

    liaison_id: str
    absence_id: str
    from_at: Instant
    until_at: Instant | None = None
    deputy_id: str | None = None

    @property
    def entry(self) -> str:
        """The event's subject."""
        return f"absence/{self.liaison_id}/{self.absence_id}"
