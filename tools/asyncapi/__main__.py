"""Write the AsyncAPI document.

python -m tools.asyncapi          write shared/contracts/asyncapi.json
python -m tools.asyncapi --check  fail when it is not what the contracts and the steps say
"""

import sys

from shared.web.event_document import FILE
from tools.asyncapi.completing import written


def main() -> None:
    """Write the document, or with `--check` exit with 1 when the committed one differs."""
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(written(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != written():
        sys.exit(f"{FILE} is not what the contracts say: run python -m tools.asyncapi")


if __name__ == "__main__":
    main()
