"""The document as a file.

python -m tools.openapi          write shared/web/openapi.json
python -m tools.openapi --check  fail when it is not what the services say
"""

import sys

from tools.openapi.joining import FILE, written


def main() -> None:
    """Write the document, or with `--check` exit with 1 when the committed one differs."""
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(written(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != written():
        sys.exit(f"{FILE} is not what the services say: run python -m tools.openapi")


if __name__ == "__main__":
    main()
