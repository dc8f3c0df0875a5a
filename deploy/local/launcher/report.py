"""The launcher's reports, as a terminal shows them and a pipe carries them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from deploy.common.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Step:
    """Something begins; `key` names its words."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the present step has come, in bytes or in something else."""

    done: int
    of: int
    is_bytes: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know and need do nothing about at once."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything works; `endpoints` is the content of endpoints.json."""

    endpoints: Mapping[str, Any]
    folder: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done; `key` and `params` are a Trouble's."""

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
    """One line of JSON; what JSON does not know becomes its text."""
    line = {"kind": type(report).__name__, **asdict(report)}
    return json.dumps(line, default=str, ensure_ascii=False)


def decode(line: str) -> Report:
    """The report of a line that `encode` wrote."""
    fields = json.loads(line)
    return KINDS[fields.pop("kind")](**fields)
