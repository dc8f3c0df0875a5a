"""The launcher's reports, for a terminal or a pipe."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from deploy.common.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Step:
    """A step begins; `key` names its message."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the present step, in bytes or another unit."""

    done: int
    of: int
    is_bytes: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """Information that needs no immediate action."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """The stack is ready; `endpoints` is the content of endpoints.json."""

    endpoints: Mapping[str, Any]
    folder: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The start failed; `key` and `params` are those of a Trouble."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


Report: TypeAlias = Step | Progress | Note | Ready | Failed
Tell: TypeAlias = Callable[[Report], None]

KINDS: Mapping[str, Callable[..., Report]] = {
    kind.__name__: kind for kind in (Step, Progress, Note, Ready, Failed)
}


def failed(trouble: Trouble) -> Failed:
    return Failed(trouble.key, trouble.params)


def encode(report: Report) -> str:
    """Return the report as one line of JSON; values unknown to JSON become text."""
    line = {"kind": type(report).__name__, **asdict(report)}
    return json.dumps(line, default=str, ensure_ascii=False)


def decode(line: str) -> Report:
    """Return the report in a line that `encode` wrote."""
    fields = json.loads(line)
    return KINDS[fields.pop("kind")](**fields)
