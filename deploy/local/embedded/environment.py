"""Environment of the programs that `liaison up` starts: an allow-list of variables."""

import os
import sys
import sysconfig
from collections.abc import Mapping
from typing import Final

KEPT: Final = ("HOME", "USER", "LOGNAME", "PATH", "TMPDIR")
"""What says who and where we are. Proxies, PG*, JAVA*, PYTHON*, LD_* and the like are not among them."""

UTF8: Final = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
"""A locale in which a JVM and PostgreSQL read file names as UTF-8, whatever the terminal's is."""


def machine_environment() -> dict[str, str]:
    """Return the environment of a server: the allowed variables and a UTF-8 locale."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **_library_path(), "LC_ALL": UTF8}


def python_environment() -> dict[str, str]:
    """Return the additional variables of a Python of ours: the same import path, and UTF-8."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}


def service_environment() -> dict[str, str]:
    """Return the services' settings (`LIAISON_*`), with PostgreSQL's own variables only for an external server."""
    own_server = not os.environ.get("LIAISON_DATABASE_URL")
    prefixes = ("LIAISON_",) if own_server else ("LIAISON_", "PG")
    given = {name: value for name, value in os.environ.items() if name.startswith(prefixes)}
    return {**given, **python_environment()}


def forget_foreign_settings(environment: "os._Environ[str] | dict[str, str]") -> None:
    """Remove variables that would change how this program works; proxies stay, for downloads.

    asyncpg reads PG* for whatever a URL does not say, so these stay only for a server that the settings name.
    """
    for name in list(environment):
        foreign = name.startswith("PYTHON") or (
            name.startswith("PG") and not environment.get("LIAISON_DATABASE_URL")
        )
        if foreign:
            del environment[name]


def _library_path() -> Mapping[str, str]:
    """Return the folder of libpython when this Python needs LD_LIBRARY_PATH to find it."""
    folder = sysconfig.get_config_var("LIBDIR")
    named = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and folder in named:
        return {"LD_LIBRARY_PATH": folder}
    return {}
