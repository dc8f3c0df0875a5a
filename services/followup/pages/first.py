"""The command with which a newcomer posts the first request; it is shown, never run."""

import json
from typing import Final

from shared.contracts import uscc
from shared.kit.messages import text

_CODE_BODY: Final = "91990117MA0A00000"
"""A code of no registry: 990117 is no district."""

_COMMAND: Final = """\
TOKEN=$(python3 -c 'import json; print(json.load(open(".liaison/endpoints.json"))["tokens"]["system"])')
curl {address}intake/requests \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{submission}'"""


def first_command(address: str, lang: str) -> str:
    """Two lines of shell; `address` is the origin's, with a slash at its end."""
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
    written = json.dumps(submission, ensure_ascii=False, indent=2).replace("'", "'\\''")
    return _COMMAND.format(address=address, submission=written)
