"""`python -m tools.vendor [--check]`: copies the pages' files of other projects from npm, by shared/web/vendor."""

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WEB: Final = Path(__file__).parents[1] / "shared" / "web"
VENDOR: Final = WEB / "vendor"
STATIC: Final = WEB / "static"
RECORD: Final = VENDOR / "VENDORED.toml"
INSTALL_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Vendored:
    """One file: from which package, where it lies in it, and its name among the assets."""

    package: str
    source: str
    name: str


FILES: Final = (
    Vendored("htmx.org", "dist/htmx.min.js", "htmx.min.js"),
    Vendored("htmx.org", "dist/ext/hx-sse.min.js", "hx-sse.min.js"),
)
LICENCES: Final = (Vendored("htmx.org", "LICENSE", "htmx.org.LICENSE"),)


def main() -> None:
    """Copy, or with `--check` compare; the exit code is 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.vendor", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with npm and change nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packages = _installed(Path(folder))
        fresh = {STATIC / each.name: _read(packages, each) for each in FILES}
        fresh |= {VENDOR / each.name: _read(packages, each) for each in LICENCES}
        fresh[RECORD] = _record(packages).encode()
    differing = [file for file, content in fresh.items() if _content(file) != content]
    if asked.check:
        sys.exit("\n".join(f"{file} is not what npm has" for file in differing) or 0)
    for file in differing:
        file.write_bytes(fresh[file])


def _installed(folder: Path) -> Path:
    """Install what is locked, running none of its scripts; the folder of the packages."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(VENDOR / name, folder / name)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=folder,
        check=True,
        timeout=INSTALL_SECONDS,
    )
    return folder / "node_modules"


def _read(packages: Path, file: Vendored) -> bytes:
    content = (packages / file.package / file.source).read_bytes()
    # A map of the source is not served, and a browser would ask for it.
    lines = content.split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"//# sourceMappingURL"))


def _record(packages: Path) -> str:
    parts = ["# Written by `python -m tools.vendor`. SHA-384 of each file as it lies in ../static."]
    for file in FILES:
        described = json.loads((packages / file.package / "package.json").read_text("utf-8"))
        digest = base64.b64encode(hashlib.sha384(_read(packages, file)).digest()).decode()
        parts += [
            "",
            f'["{file.name}"]',
            f'package = "{file.package}"',
            f'version = "{described["version"]}"',
            f'licence = "{described["license"]}"',
            f'source = "{file.source}"',
            f'sha384 = "{digest}"',
        ]
    return "\n".join(parts) + "\n"


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


if __name__ == "__main__":
    main()
