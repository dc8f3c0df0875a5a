"""JSON views of a matter and its parts, with the wire's field names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from services.followup.domain.access import Step, hindered_steps, open_steps
from services.followup.domain.clocks import Clock, next_kind
from services.followup.domain.decision import Refused
from services.followup.domain.matter import ChartMilestone, Matter, Party, Task
from services.followup.domain.moment import ActingParty
from services.followup.domain.rates import Rate
from services.followup.domain.steps.chart import SOON, light_of
from services.followup.handlers.glance import Arrival, Due, Glance
from services.followup.handlers.office import Office
from services.followup.handlers.queries import Details, Found, Rated
from services.followup.store.chart import Charted
from services.followup.store.rates import Spread
from services.followup.store.requests import Request
from shared.contracts.vocabulary import PartyKind

Names: TypeAlias = Mapping[str, str]
"""Names of parties by id, as far as the directory has them."""
Explain: TypeAlias = Callable[[Refused], str]
"""Says a refusal in the caller's language."""


def matter_view(
    matter: Matter, caller: ActingParty, at: datetime, office: Office, explain: Explain
) -> dict[str, Any]:
    """A matter as it stands, with the steps that the caller may take now, and those withheld with their reasons."""
    hindered = hindered_steps(matter, caller)
    soon = office.calendar.add(at, SOON)
    return _status(matter, office) | {
        "dispatch": matter.dispatch,
        "offer": matter.offer,
        "last_owner": matter.last_owner,
        "taken_at": matter.taken_at,
        "contacted_at": matter.contacted_at,
        "clocks": [_clock(clock) for clock in matter.clocks],
        "set_aside": [_clock(clock) for clock in matter.aside],
        "breaches": matter.breaches,
        "extensions": matter.extensions,
        "milestones": [_milestone(each, at, soon) for each in matter.milestones],
        "tasks": [_task(each) for each in matter.tasks],
        "hold": matter.hold,
        "shelf": matter.shelf,
        "answer": matter.handling.answer if matter.handling else None,
        "handling": matter.handling,
        "return_visit": matter.visit,
        "closing": matter.closing,
        "merged_into": matter.merging.into if matter.merging else None,
        "joint": matter.joint,
        "steps": [step.value for step in open_steps(matter, caller) if step not in hindered],
        "withheld": [
            {"step": step.value, "code": refused.code.value, "detail": explain(refused)}
            for step, refused in hindered.items()
        ],
    }


def _status(matter: Matter, office: Office) -> dict[str, Any]:
    return {
        "matter_id": matter.id,
        "version": matter.version,
        "state": matter.state,
        "round": matter.round,
        "path": matter.path,
        "outcome": matter.handling.outcome if matter.handling else None,
        "channel": matter.channel,
        "kind": matter.kind,
        "category": matter.category,
        "urgency": matter.urgency,
        "park": matter.park,
        "lead_department": matter.lead_department,
        "received_at": matter.received_at,
        "owner": matter.owner,
        "responsible": matter.responsible or _desk(office),
        "pending_reason": matter.pending.reason if matter.pending else None,
        "next_due_at": matter.next_due_at,
        "breached": matter.breached,
    }


def _desk(office: Office) -> Party:
    return Party(office.desk, PartyKind.DESK, office.desk)


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "clock": clock.kind,
        "due_at": clock.due_at,
        "original_due_at": clock.original_due_at,
        "remind_at": clock.remind_at,
        "stage": clock.stage,
        "breached": clock.missed,
        "paused_at": clock.paused_at,
        "calendar_version": clock.calendar_version,
        "extensions": clock.extensions,
    }


def _milestone(milestone: ChartMilestone, at: datetime, soon: datetime) -> dict[str, Any]:
    return {
        "id": milestone.id,
        "title": milestone.title,
        "owner_department": milestone.owner_department,
        "state": milestone.state,
        "light": light_of(milestone, at, soon),
        "due_at": milestone.due_at,
        "original_due_at": milestone.original_due_at,
        "required": milestone.required,
        "evidence": milestone.evidence,
        "blocker": milestone.blocker,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "department": task.department,
        "title": task.title,
        "due_at": task.due_at,
        "done_at": task.done_at,
        "done": task.done_at is not None,
    }


def found_view(found: Found, office: Office, names: Names) -> dict[str, Any]:
    """A matter in a list."""
    matter = found.matter
    return _status(matter, office) | {
        "summary": found.request.summary,
        "requester": found.request.requester,
        "next_clock": next_kind(matter.clocks),
        "offer": matter.open_offer,
        "names": _names(names, [matter.lead_department]),
    }


def _names(names: Names, ids: Iterable[str | None]) -> dict[str, str]:
    return {each: names[each] for each in ids if each is not None and each in names}


def overview_view(glance: Glance, office: Office) -> dict[str, Any]:
    """The overview."""
    return {
        "at": glance.now,
        "arrivals": [_arrival(each, office, glance.names) for each in glance.arrivals],
        "due": [_due(each, office) for each in glance.due],
        "counts": {state.value: number for state, number in glance.counts.items()},
        "rates": rates_view(glance.rates),
    }


def _arrival(arrival: Arrival, office: Office, names: Names) -> dict[str, Any]:
    return found_view(Found(arrival.matter, arrival.request), office, names) | {
        "dispatch": arrival.matter.dispatch,
        "last_offer": arrival.offer,
    }


def _due(due: Due, office: Office) -> dict[str, Any]:
    return {
        "matter_id": due.matter.id,
        "state": due.matter.state,
        "summary": due.request.summary,
        "requester": due.request.requester,
        "clock": due.clock.kind,
        "due_at": due.clock.due_at,
        "whose": due.whose or _desk(office),
    }


def details_view(
    details: Details, caller: ActingParty, at: datetime, office: Office, explain: Explain
) -> dict[str, Any]:
    """Return a whole matter with its requests."""
    first = details.requests[0]
    view = matter_view(details.matter, caller, at, office, explain)
    if caller.party in details.workers:
        view["steps"] = [each for each in view["steps"] if each != Step.RETURN_VISIT]
    return view | {
        "summary": first.summary,
        "requester": first.requester,
        "requests": [_request(request) for request in details.requests],
        "merged_from": list(details.merged),
        "joined_with": list(details.joined),
        "messages": details.words,
        "next_clock": next_kind(details.matter.clocks),
        "names": dict(details.names),
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "request_id": request.matter_id,
        "source": request.source,
        "source_ref": request.source_ref,
        "channel": request.channel,
        "kind": request.kind,
        "category": request.category,
        "requester": request.requester,
        "summary": request.summary,
        "detail": request.detail,
        "location": request.location,
        "urgency": request.urgency,
        "occurred_at": request.occurred_at,
        "received_at": request.received_at,
        "attachments": request.attachments,
    }


def chart_view(
    charted: Sequence[Charted], at: datetime, soon: datetime, names: Names
) -> list[dict[str, Any]]:
    """Milestones on the wall with their lights; `soon` is two working days from `at`."""
    return [
        _milestone(each.milestone, at, soon)
        | {
            "matter_id": each.matter_id,
            "summary": each.summary,
            "requester_name": each.requester_name,
            "park": each.park,
            "owner": each.owner_id,
            "names": _names(names, [each.milestone.owner_department, each.owner_id]),
        }
        for each in charted
    ]


def rated_view(rated: Rated) -> dict[str, Any]:
    """Return the rates and times of a group."""
    return {"key": rated.key, "rates": rates_view(rated.rates), "times": _times(rated.times)}


def rates_view(rates: Mapping[str, Rate]) -> dict[str, Any]:
    """Return each rate with numerator, denominator and what was left out."""
    return {
        name: {
            "rate": rate.value,
            "numerator": rate.numerator,
            "denominator": rate.denominator,
            "left_out": dict(rate.left_out),
        }
        for name, rate in rates.items()
    }


def _times(times: Mapping[str, Spread]) -> dict[str, Any]:
    return {
        name: {"p50_s": spread.p50_s, "p90_s": spread.p90_s, "count": spread.count}
        for name, spread in times.items()
    }
