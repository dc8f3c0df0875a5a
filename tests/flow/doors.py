"""Every operation of the API with what it is called with, and to whom its thing is somebody else's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from tests.support.described import document

LATER: Final = (datetime.now(UTC) + timedelta(days=30)).isoformat()
MILESTONE: Final = {
    "title": "意见征询",
    "owner_department": "D-CON",
    "due_at": LATER,
    "required": False,
}
REQUESTS_FILE: Final = (
    "source_ref,channel,kind,requester.kind,requester.id,requester.name,summary,detail\n"
    "row-1,web,help,enterprise,no code,云杉精密,门口积水,雨后积水\n"
)
"""A file with a row to be mended."""


class Whose(StrEnum):
    """Whom a thing belongs to: everybody of the roles, the parties of a matter, or one party alone."""

    TOWN = "town"
    MATTER = "matter"
    OFFER = "offer"
    PARTY = "party"
    FILE = "file"
    HOLDER = "holder"


STRANGERS: Final[Mapping[Whose, tuple[str, ...]]] = {
    Whose.TOWN: (),
    Whose.MATTER: ("L003", "D-FIN"),
    Whose.OFFER: ("L003", "D-FIN"),
    Whose.PARTY: ("L003", "D-FIN"),
    Whose.FILE: ("other-system",),
    Whose.HOLDER: (),
}
"""Who has the role, and is nothing to what L001, D-CON or the one system have in hand."""


@dataclass(frozen=True)
class Door:
    """How an operation is called: `body` is JSON, or a file where it is a text."""

    whose: Whose = Whose.TOWN
    body: Any = None
    query: str = ""
    lasting: bool = False


def _matter(body: Any = None) -> Door:
    return Door(Whose.MATTER, body)


_STEPS: Final = {
    "first-contact": {"note": "已联系"},
    "feedback": {"text": "已派人查看"},
    "plan": {"milestones": [MILESTONE]},
    "milestones/{milestone_id}": {"state": "in_progress"},
    "tasks": {"department": "D-CON", "title": "现场查看"},
    "tasks/{task_id}/done": None,
    "hold": {"reason": "等材料", "resume_at": LATER},
    "resume": {},
    "extend": {"clock": "handle", "new_due_at": LATER, "reason": "下雨"},
    "shelve": {"reason": "明年再办", "review_at": LATER},
    "handle": {"outcome": "resolved", "answer": "已疏通"},
    "return-visit": {"reached": True, "solved": True, "satisfaction": 5},
    "close": {},
    "reopen": {"cause": "not_solved", "reason": "又积水了"},
    "reject": {"reason": "不属于本镇", "channel": "12345"},
    "merge": {"into": "{other_matter}", "reason": "同一件事"},
    "unmerge": {"reason": "不是一件事"},
    "join": {"title": "北园道路", "with": ["{other_matter}"]},
}

DOORS: Final[Mapping[str, Door]] = {
    **{
        f"POST /followup/matters/{{matter_id}}/{step}": _matter(body)
        for step, body in _STEPS.items()
    },
    "GET /followup/matters": Door(),
    "GET /followup/matters/{matter_id}": _matter(),
    "GET /followup/matters/{matter_id}/history": _matter(),
    "GET /followup/overview": Door(),
    "GET /followup/rates": Door(),
    "GET /followup/wall-chart": Door(),
    "GET /intake/feed": Door(),
    "GET /intake/feed/stream": Door(lasting=True),
    "POST /intake/feed/stream/tickets": Door(),
    "POST /intake/imports": Door(body=REQUESTS_FILE, query="?source=https://one-stop.example"),
    "GET /intake/imports/{import_id}": Door(Whose.FILE),
    "GET /intake/imports/{import_id}/faulty": Door(Whose.FILE),
    "POST /intake/requests/{request_id}/receipt": Door(),
    "GET /intake/receipts/{receipt}": Door(Whose.HOLDER),
    "POST /intake/receipts/{receipt}/answer": Door(
        Whose.HOLDER, {"solved": True, "satisfaction": 4}
    ),
    "POST /intake/receipts/{receipt}/messages": Door(Whose.HOLDER, {"message": "还在漏"}),
    "POST /intake/receipts/{receipt}/withdraw": Door(Whose.HOLDER, {"reason": "不需要了"}),
    "POST /intake/requests": Door(body={"source": "https://one-stop.example"}),
    "POST /intake/requests/batch": Door(body=[{"source": "https://one-stop.example"}]),
    "GET /intake/requests/{request_id}": _matter(),
    "POST /routing/catalogue/versions": Door(body="规则编号\n"),
    "GET /routing/catalogue/versions": Door(),
    "GET /routing/catalogue/versions/{version}": Door(),
    "POST /routing/catalogue/versions/{version}/activate": Door(),
    "POST /routing/catalogue/versions/{version}/trial": Door(),
    "GET /routing/departments": Door(),
    "PUT /routing/departments/{department_id}": Door(body={"name": "城市建设管理办"}),
    "POST /routing/directory/imports": Door(
        body="id,name\nD-NEW,新设部门\n", query="?kind=departments"
    ),
    "GET /routing/enterprises": Door(),
    "PUT /routing/enterprises/{uscc}": Door(body={"name": "云杉精密", "tier": "large"}),
    "GET /routing/liaisons": Door(),
    "PUT /routing/liaisons/{liaison_id}": Door(body={"name": "沈一", "department_id": "D-CON"}),
    "GET /routing/liaisons/{liaison_id}/absences": Door(),
    "PUT /routing/liaisons/{liaison_id}/absences/{absence_id}": Door(
        Whose.PARTY, {"from": "2020-01-01", "until": "2020-01-02"}
    ),
    "GET /routing/objections": Door(),
    "POST /routing/objections/{objection_id}/ruling": Door(body={"ruling": "overruled"}),
    "POST /routing/offers/{offer_id}/accept": Door(Whose.OFFER),
    "POST /routing/offers/{offer_id}/decline": Door(Whose.OFFER, {"reason_code": "not_ours"}),
    "GET /routing/queues/{party}": Door(Whose.PARTY),
    "GET /routing/queues/{party}/stream": Door(Whose.PARTY, lasting=True),
    "POST /routing/queues/{party}/stream/tickets": Door(Whose.PARTY),
    # Staff may read why anybody was offered a matter and they were not.
    "GET /routing/requests/{request_id}/explanation": Door(),
    "GET /routing/ties": Door(),
    "PUT /routing/ties/{tie_id}": Door(
        body={"uscc": "{uscc}", "liaison_id": "L001", "from": "2024-01-01", "reason": "结对"}
    ),
}
"""By method and path, as the description has them."""


def operations() -> Iterator[tuple[str, frozenset[str]]]:
    """Each operation of the description with its roles; none for what needs no token."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            [roles] = operation["security"][0].values() if operation["security"] else [()]
            yield f"{method.upper()} {path}", frozenset(roles)


def of(whose: Whose) -> list[str]:
    """The operations whose things are that much somebody's."""
    return [name for name, door in DOORS.items() if door.whose is whose]


def filled(template: Any, things: Mapping[str, str]) -> Any:
    """A body with the town's things in place of their names in braces."""
    if isinstance(template, dict):
        return {name: filled(value, things) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, things) for value in template]
    if isinstance(template, str) and template.startswith("{"):
        return things[template[1:-1]]
    return template
