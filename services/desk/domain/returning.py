"""Where a browser goes after sign-in: to a page of this origin and to no other."""

import re
from typing import Final

HOME: Final = "/desk"
LONGEST: Final = 2_000
# Visible ASCII without the backslash, which browsers read as a slash; they drop tabs and line ends.
_VISIBLE: Final = re.compile(r"/[!-\[\]-~]*")
_BACK: Final = re.compile(r"/sign-(?:in|out)(?:[/?#]|$)")


def local_target(given: str | None) -> str:
    """Return `given` where it is the path of a page here, with its query; else `/desk`.

    Refused are other hosts in each form that a browser understands (`//host`, `/\\host`, `https:…`, control
    characters in between), and sign-in itself.
    """
    if given is None or len(given) > LONGEST or _VISIBLE.fullmatch(given) is None:
        return HOME
    path = re.split(r"[?#]", given, maxsplit=1)[0]
    return HOME if "//" in path or _BACK.match(path) else given
