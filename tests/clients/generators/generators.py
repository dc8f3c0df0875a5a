"""The generators of clients that are held to the description, with the commands that make and compile each client."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BIN: Final = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Generator:
    """One generator: its language's folder, the folders it writes, how it is built, and how its program is started."""

    name: str
    language: str
    written: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    play: tuple[str, ...]


_PYTHON: Final = (
    # An environment of its own: the generator wants other versions than the project does.
    (str(BIN / "uv"), "venv", "--quiet", "--allow-existing", "--python", sys.executable, "env"),
    (
        str(BIN / "uv"), "pip", "install", "--quiet", "--python", "env/bin/python",
        "--requirement", "requirements.txt",
    ),
    (
        "env/bin/openapi-python-client", "generate", "--path", "openapi.json", "--overwrite",
        "--meta", "none", "--output-path", "liaison_client", "--config", "config.yaml",
    ),
    ("env/bin/python", "-m", "compileall", "-q", "liaison_client", "play.py"),
)  # fmt: skip
_TYPESCRIPT: Final = (
    ("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"),
    ("npm", "run", "--silent", "generate"),
    ("npm", "run", "--silent", "compile"),
)
_JAVA: Final = (("mvn", "--quiet", "--batch-mode", "process-classes"),)
_GO: Final = (("sh", "generate.sh"),)
_JAVA_PLAY: Final = 'exec java -cp "target/classes:$(cat target/classpath)" play.Play'

GENERATORS: Final = (
    Generator(
        "openapi-python-client", "python", ("liaison_client",), _PYTHON, ("env/bin/python", "play.py")
    ),
    Generator(
        "@hey-api/openapi-ts", "typescript", ("hey", "built"), _TYPESCRIPT, ("node", "built/hey.mjs")
    ),
    Generator(
        "openapi-typescript", "typescript", ("hey", "built"), _TYPESCRIPT,
        ("node", "built/fetch.mjs"),
    ),
    Generator("openapi-generator", "java", ("target",), _JAVA, ("sh", "-c", _JAVA_PLAY)),
    Generator("oapi-codegen", "go", ("oapiclient", "ogenclient"), _GO, ("built/oapi",)),
    Generator("ogen", "go", ("oapiclient", "ogenclient"), _GO, ("built/ogen",)),
)  # fmt: skip
