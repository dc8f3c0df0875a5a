"""The types of problems in the document: every one that an answer may have, with what it says."""

from shared.web.api_document import problem_types
from tools.openapi.components import PLACE, Json
from tools.openapi.operations import PROBLEM

NAME = "ProblemType"


def add_problem_types(document: Json) -> None:
    """Add `ProblemType`, an enumeration of every type, and let the problem document refer to it."""
    known = problem_types("en")
    document["components"]["schemas"][NAME] = {
        "type": "string",
        "description": "Which problem it is; more may be added, which a reader treats by their status.",
        "enum": [f"urn:liaison:problem:{each.code}" for each in known],
        "x-enum-descriptions": [f"{each.title}. {each.detail}" for each in known],
    }
    fields = document["components"]["schemas"][PROBLEM]["properties"]
    fields["type"] = {"$ref": f"{PLACE}{NAME}"}
