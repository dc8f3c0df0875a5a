"""The closed sets of words that travel on the wire; standard library only, so that the rules may use them too."""

from enum import StrEnum


class Role(StrEnum):
    """Who acts. `requester` is the holder of a receipt; `clock` is a limit that ran out."""

    SYSTEM = "system"
    LIAISON = "liaison"
    DEPARTMENT = "department"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"
    REQUESTER = "requester"
    CLOCK = "clock"


class Channel(StrEnum):
    """How a request reached the town."""

    VISIT = "visit"
    HOTLINE = "hotline"
    WEB = "web"
    GROUP = "group"
    SAFETY_CHECK = "safety_check"
    SYSTEM = "system"


class Kind(StrEnum):
    """What sort of thing is asked."""

    ASK = "ask"
    HELP = "help"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"
    HAZARD = "hazard"
    WISH = "wish"


class RequesterKind(StrEnum):
    """Who asks; an organisation is one of the two new kinds (两新组织)."""

    ENTERPRISE = "enterprise"
    RESIDENT = "resident"
    ORGANISATION = "organisation"


class Urgency(StrEnum):
    """How soon it matters, from least to most."""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Tier(StrEnum):
    """An enterprise's weight in the town: 重点, 规上, 一般."""

    KEY = "key"
    LARGE = "large"
    GENERAL = "general"


class TieRole(StrEnum):
    """A liaison's place in a tie: 主 or 副."""

    PRIMARY = "primary"
    DEPUTY = "deputy"


class PartyKind(StrEnum):
    """What a party of an offer is."""

    LIAISON = "liaison"
    DEPARTMENT = "department"
    DESK = "desk"


class Candidacy(StrEnum):
    """Why a party is offered a matter; the order of the members is the order of choice.

    `returning` is the liaison of the round before (a reopened matter goes to the same liaison first),
    `ruled` the owner that an upheld objection named.
    """

    RULED = "ruled"
    RETURNING = "returning"
    PRIMARY = "primary"
    DEPUTY = "deputy"
    DEPARTMENT_DESK = "department_desk"
    FALLBACK_DESK = "fallback_desk"


class Difficulty(StrEnum):
    """Which handling limit applies: 5 or 15 working days by default."""

    SIMPLE = "simple"
    COMPLEX = "complex"


class Path(StrEnum):
    """How a matter is carried: 立即解决 or 挂图作战."""

    INSTANT = "instant"
    CHARTED = "charted"


class MatterState(StrEnum):
    """Where a matter stands."""

    RECEIVED = "received"
    AWAITING_DISPATCH = "awaiting_dispatch"
    OFFERED = "offered"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    SHELVED = "shelved"
    HANDLED = "handled"
    CLOSED = "closed"
    MERGED = "merged"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class OfferState(StrEnum):
    """Where an offer stands; all but the first are final."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    RESCINDED = "rescinded"


class DeclineReason(StrEnum):
    """Why a party sends an offer back."""

    NOT_OURS = "not_ours"
    NOT_MY_ENTERPRISE = "not_my_enterprise"
    AT_CAPACITY = "at_capacity"
    ON_LEAVE = "on_leave"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    OTHER = "other"


class RescindReason(StrEnum):
    """Why an open offer is taken back."""

    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    CLOSED = "closed"
    LIAISON_ABSENT = "liaison_absent"
    REDIRECTED = "redirected"


class PendingReason(StrEnum):
    """Why a matter waits without an offer."""

    NO_RULE = "no_rule"
    LIAISON_ABSENT = "liaison_absent"
    AT_CAPACITY = "at_capacity"
    OBJECTION_REVIEW = "objection_review"
    OUTSIDE_HOURS = "outside_hours"


class Ruling(StrEnum):
    """A coordinator's word on an objection: 改派 or 维持."""

    UPHELD = "upheld"
    OVERRULED = "overruled"


class MilestoneState(StrEnum):
    """Where a step on the wall stands."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    WAIVED = "waived"


class Light(StrEnum):
    """A milestone's computed light on the wall."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Outcome(StrEnum):
    """What came of a matter, apart from its state."""

    RESOLVED = "resolved"
    PARTLY_RESOLVED = "partly_resolved"
    EXPLAINED = "explained"
    NOT_FEASIBLE = "not_feasible"
    OUT_OF_SCOPE = "out_of_scope"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"


class VisitState(StrEnum):
    """Where a round's return visit stands; unreached never counts as satisfied."""

    DUE = "due"
    UNREACHED = "unreached"
    DONE = "done"


class Amendment(StrEnum):
    """What the requester's words are: facts, or an answer or a withdrawal that could not take effect."""

    MESSAGE = "message"
    ANSWER = "answer"
    WITHDRAWAL = "withdrawal"


class ReopenCause(StrEnum):
    """Why a closed or handled matter starts another round."""

    DISSATISFIED = "dissatisfied"
    NOT_SOLVED = "not_solved"
    RECURRED = "recurred"
    NEW_FACT = "new_fact"


class ClockKind(StrEnum):
    """The limits a matter runs under."""

    ACCEPT = "accept"
    FIRST_CONTACT = "first_contact"
    INTERIM = "interim"
    FEEDBACK = "feedback"
    HANDLE = "handle"
    RETURN_VISIT = "return_visit"
    RESUME = "resume"
    REVIEW = "review"


class EscalationLevel(StrEnum):
    """The ladder above a breach: 店小二, 部门负责人, 分管领导, 联席会商."""

    LIAISON = "liaison"
    DEPARTMENT_HEAD = "department_head"
    LEADER_IN_CHARGE = "leader_in_charge"
    JOINT_MEETING = "joint_meeting"


class RescheduleCause(StrEnum):
    """Why limits that were open moved: another working calendar, or other limits of the town."""

    CALENDAR = "calendar"
    LIMITS = "limits"
