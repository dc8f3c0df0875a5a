"""The shell command with which a newcomer posts the first request, as the page prints it."""

import json
from typing import Final

from shared.contracts.fields import uscc
from shared.messages.catalogue import text

_CODE_BODY: Final = "91990117MA0A00000"
"""A code of no registry: 990117 is no district."""

_COMMAND: Final = """\
TOKEN=$(.venv/bin/liaison tokens add system https://first.example)
curl {address}intake/requests \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{submission}'"""


def first_command(address: str, lang: str) -> str:
    """Return two lines of shell; `address` is the gateway's, with a trailing slash."""
    submission = {
        "source": "https://first.example",
        "source_ref": "1",
        "channel": "web",
        "kind": "help",
        "category": "基础设施/道路交通",
        "requester": {
            "kind": "enterprise",
            "id": _CODE_BODY + uscc.check_character(_CODE_BODY),
            "name": text("page.first.requester", lang),
        },
        "summary": text("page.first.summary", lang),
        "detail": text("page.first.detail", lang),
    }
    lines = (f"  {_json(name)}: {_json(value)}" for name, value in submission.items())
    written = "{\n" + ",\n".join(lines) + "\n}"
    return _COMMAND.format(address=address, submission=written.replace("'", "'\\''"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
