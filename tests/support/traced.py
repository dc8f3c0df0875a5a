"""What a request's trace holds, wherever it is asked for: each span by its service and its name."""

from typing import Final

PATH_TO_QUEUE: Final = frozenset(
    {
        ("intake", "POST /intake/requests"),
        ("intake", "send liaison.requests"),
        ("routing", "process liaison.requests"),
        ("routing", "send liaison.assignments"),
        ("followup", "process liaison.requests"),
        ("followup", "process liaison.assignments"),
        ("followup", "send liaison.matters"),
        ("intake", "process liaison.matters"),
    }
)
