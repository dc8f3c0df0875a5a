"""Tables as CSV files that spreadsheet programs open, and whose cells they do not run as formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

_LIVE: Final = "[=+\\-@\t\r\n＝＋－＠]"
_TO_ESCAPE: Final = re.compile(f"'*{_LIVE}")
_ESCAPED: Final = re.compile(f"'+{_LIVE}")


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """CSV that spreadsheets open with the right characters: UTF-8 with a byte order mark, every cell in quotes."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode("utf-8-sig")


def escape_formula(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet program might run it; see `restore_formula`."""
    return f"'{cell}" if _TO_ESCAPE.match(cell) else cell


def restore_formula(cell: str) -> str:
    """The cell that `escape_formula` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell
