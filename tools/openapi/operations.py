"""What every operation says of itself: its service, its roles, its errors, its headers."""

from http import HTTPStatus
from typing import Final

from shared.http.problems import MEDIA_TYPE, ProblemDocument
from tools.openapi.components import PLACE, Json

PROBLEM: Final = ProblemDocument.__name__
SCHEME: Final = "HTTPBearer"
PHRASES: Final = {status: HTTPStatus(int(status)).phrase for status in ("401", "403", "429", "503")}
MEDIA: Final = ("415", {"description": HTTPStatus(415).phrase})
WRITES_ALONE: Final = ("409", "412")
"""Statuses that no reading operation answers."""
RETRY_AFTER: Final[Json] = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}
CHALLENGE: Final[Json] = {
    "WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}
}
VERSION: Final[Json] = {
    "ETag": {
        "description": "The version, as `If-Match` takes it",
        "schema": {"type": "string"},
        "example": '"7"',
    }
}
HEADERS: Final = {"401": CHALLENGE, "429": RETRY_AFTER, "503": RETRY_AFTER, "412": VERSION}


def describe(operation: Json, method: str, service: str, roles: tuple[str, ...]) -> None:
    """Complete an operation as FastAPI describes it; errors are shown as what they are, problem documents."""
    operation["tags"] = [service]
    operation["security"] = [{SCHEME: list(roles)}] if roles else []
    who = f"Roles: {', '.join(roles)}." if roles else "Needs no token."
    operation["description"] = f"{operation.get('description', '').strip()}\n\n{who}".strip()
    for parameter in operation.get("parameters", ()):
        # A parameter that is not given is not there; null cannot be sent.
        parameter["schema"] = _without_null(parameter["schema"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"] = _without_null(content["schema"])
    answers: Json = operation["responses"]
    if method == "GET":
        for status in WRITES_ALONE:
            answers.pop(status, None)
    else:
        answers.setdefault(MEDIA[0], dict(MEDIA[1]))
    for status in PHRASES if roles else ("429", "503"):
        answers.setdefault(status, {"description": PHRASES[status]})
    for status, answer in answers.items():
        _describe_answer(operation, status, answer)
    operation["responses"] = dict(sorted(answers.items()))


def _describe_answer(operation: Json, status: str, answer: Json) -> None:
    answer["description"] = answer["description"].replace(
        "Successful Response", HTTPStatus(int(status)).phrase
    )
    if len(answer.get("content", {})) > 1:
        # FastAPI adds JSON of no form to what is said to be something else.
        _drop_empty(answer["content"])
    if int(status) >= 400:
        answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{PLACE}{PROBLEM}"}}}
    elif _media_types(operation, "if-match"):
        answer.setdefault("headers", VERSION)
    if status in HEADERS:
        answer.setdefault("headers", HEADERS[status])


def _media_types(operation: Json, header: str) -> bool:
    return any(each["name"].lower() == header for each in operation.get("parameters", ()))


def _drop_empty(contents: Json) -> None:
    for media_type in [name for name, content in contents.items() if not content.get("schema")]:
        del contents[media_type]


def _without_null(schema: Json) -> Json:
    choices = schema.get("anyOf", [])
    present = [choice for choice in choices if choice != {"type": "null"}]
    if len(present) == len(choices):
        return schema
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**present[0], **beside} if len(present) == 1 else {**beside, "anyOf": present}
