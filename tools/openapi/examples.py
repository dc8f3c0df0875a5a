"""An example for every body of the document, made of its schema and of values that a town would send."""

from typing import Final

from shared.web.schema import Schemas
from tools.openapi.components import Json

MATTER: Final = "0195539c-5d2e-7c3a-9a41-3f0c5a6f1b2d"
CODE: Final = "91990117MA0A49643B"
MOMENT: Final = "2026-03-02T01:30:00Z"

VALUES: Final[Json] = {
    "absence_id": "AB1",
    "activated_by": "C001",
    "id": "L001",
    "age_seconds": 95,
    "answer": "已疏通排水口,雨后回看无积水。",
    "approver": "C001",
    "at": MOMENT,
    "attachments": [],
    "before": None,
    "after": None,
    "blocker": "等雨停",
    "calendar_version": "2026",
    "capacity": 20,
    "category": "基础设施/道路",
    "channel": "web",
    "cause_label": "首次联系",
    "co_departments": ["D-FIN"],
    "code": "missing",
    "column": "牵头单位",
    "command_id": "c-2026-000123",
    "command_type": "liaison.matter.feed_back.v1",
    "created_by": "C001",
    "deputy_id": "L002",
    "department": "D-CON",
    "department_id": "D-CON",
    "detail": "厂区北门外道路每逢下雨积水,货车进不来。",
    "ended": "timed_out",
    "evidence": "现场照片已归档",
    "exemption": "企业已注销,无法回访",
    "fate": "discarded",
    "faulty_url": f"/intake/imports/{MATTER}/faulty",
    "found": "D-CON",
    "industry": "精密制造",
    "into": MATTER,
    "joint_id": MATTER,
    "key": "D-CON",
    "kind": "department",
    "label": "已受理",
    "lead_department": "D-CON",
    "letter_id": MATTER,
    "liaison_id": "L001",
    "location": "北园路 8 号",
    "matter_id": MATTER,
    "message": "今早又积水了。",
    "milestone_id": MATTER,
    "name": "苇州砺锋数控设备有限公司",
    "next": None,
    "note": "已联系企业,周三上门。",
    "objection_id": MATTER,
    "offer_id": MATTER,
    "out_of": MATTER,
    "owner": "陈明",
    "owner_department": "D-CON",
    "park": "北园",
    "party": "L001",
    "phone": "0571-5550132",
    "phone_desk": "0571-5550132",
    "pointer": "/requester/id",
    "reason": "需要再等一次雨天观察",
    "receipt": "Q4CJ85-JH5X1B-1KDG0R-T75PT9",
    "request_id": MATTER,
    "requester_name": "苇州砺锋数控设备有限公司",
    "ruled_by": "C001",
    "rule_id": "R1",
    "ruling_note": "该事项由建设办牵头",
    "satisfaction": 5,
    "sequence": "3",
    "service": "intake",
    "sheet": "诉求",
    "source": "https://one-stop.example",
    "source_ref": "2026-000123",
    "standing": "offered",
    "state": "in_force",
    "state_label": "办理中",
    "status_url": "/intake/receipts/Q4CJ85-JH5X1B-1KDG0R-T75PT9",
    "subject": MATTER,
    "stream_url": "/routing/queues/L001/stream?ticket=Q4CJ85JH5X1B1KDG0RT75PT9",
    "suggested_owner": "L002",
    "summary": "门口积水",
    "task_id": MATTER,
    "text": "施工队周三进场,预计两天完成。",
    "ticket": "Q4CJ85JH5X1B1KDG0RT75PT9",
    "tie_id": "T1",
    "title": "排水口改造",
    "to": MATTER,
    "topic": "liaison.submissions",
    "type": "liaison.matter.contacted.v1",
    "uscc": CODE,
    "why": "结对店小二",
    "words": "水退了,谢谢。",
}
"""By the name of the field; used where the field's schema allows it."""

BODIES: Final[Json] = {
    "FollowupRequester": {"kind": "enterprise", "id": CODE, "name": "苇州砺锋数控设备有限公司"},
    "Submission": {
        "source": "https://one-stop.example",
        "source_ref": "2026-000123",
        "channel": "web",
        "kind": "help",
        "requester": {
            "kind": "enterprise",
            "id": CODE,
            "name": "苇州砺锋数控设备有限公司",
            "contact": {"name": "周工", "phone": "0571-5550132"},
        },
        "summary": "门口积水",
        "detail": "厂区北门外道路每逢下雨积水,货车进不来。",
    },
    "ProblemDocument": {
        "type": "urn:liaison:problem:invalid",
        "title": "有内容需要修改",
        "status": 422,
        "detail": "请按 errors 中的说明修改后重新提交。",
        "errors": [
            {"pointer": "/summary", "code": "missing", "detail": "请填写这一项"},
        ],
    },
}
"""Whole bodies, by the name of the component."""

CSV: Final = (
    "source_ref,channel,kind,requester.kind,requester.id,requester.name,summary,detail\n"
    f"2026-000123,web,help,enterprise,{CODE},苇州砺锋数控设备有限公司,门口积水,雨后积水\n"
)


def add_examples(document: Json) -> None:
    """Add `examples` to components that have a body here, and an `example` to every body of an operation."""
    for name, body in BODIES.items():
        document["components"]["schemas"][name]["examples"] = [body]
    schemas = Schemas(document, "en", VALUES)
    for item in document["paths"].values():
        for operation in item.values():
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [
                answer.get("content", {})
                for status, answer in operation["responses"].items()
                if status < "300"
            ]
            for content in contents:
                for media_type, body in content.items():
                    _add(body, media_type, schemas)


def _add(body: Json, media_type: str, schemas: Schemas) -> None:
    if media_type.endswith("json"):
        body.setdefault("example", schemas.sample(body["schema"]))
    elif media_type == "text/csv":
        body.setdefault("example", CSV)
