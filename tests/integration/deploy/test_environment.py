"""A stack comes up whatever the shell's environment says: its programs have one of their own."""

import json
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.environment import KEPT
from tests.integration.deploy.stacks import Stack

pytestmark = pytest.mark.timeout(240)

NOWHERE = "/nonexistent/of-another-program"
SHADOWED = ("json", "logging", "asyncio", "httpx", "deploy", "shared", "typer")
"""Modules that a folder of PYTHONPATH has too, each of which fails."""

PROXIES = {
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    **dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9"),
    "NO_PROXY": "",
}
POSTGRES = {
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": NOWHERE,
    "PGSERVICE": "nowhere",
    "PGSERVICEFILE": NOWHERE,
    "PGHOST": "nowhere.invalid",
    "PGPORT": "no port",
    "PGUSER": "stranger",
    "PGPASSWORD": "wrong",
    "PGPASSFILE": NOWHERE,
    "PGDATABASE": "strange",
    "PGDATA": NOWHERE,
    "PGOPTIONS": "-c search_path=nowhere",
    "PGTARGETSESSIONATTRS": "nonsense",
    "PGTZ": "Nowhere/Nowhere",
}
JAVA = {
    "JAVA_TOOL_OPTIONS": "-Xnonsense",
    "JDK_JAVA_OPTIONS": "--nonsense",
    "_JAVA_OPTIONS": "-Xmx1k",
    "JAVA_HOME": NOWHERE,
    "CLASSPATH": NOWHERE,
    "KAFKA_OPTS": "-Dnonsense",
    "KAFKA_HEAP_OPTS": "-Xmx1k",
    "KAFKA_LOG4J_OPTS": "-Dnonsense",
}
MACHINE = {
    "LC_ALL": "zh_CN.GBK",
    "LANG": "xx_XX",
    "TZ": "Nowhere/Nowhere",
    "SSL_CERT_FILE": NOWHERE,
    "SSL_CERT_DIR": NOWHERE,
    "LD_LIBRARY_PATH": NOWHERE,
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_SDK_DISABLED": "nonsense",
    "WEB_CONCURRENCY": "many",
    "FORWARDED_ALLOW_IPS": "*",
    "UVICORN_PORT": "no port",
    "COLUMNS": "1",
    "TERM": "nonsense",
}
LEFT_OVER = {
    "LIAISON_HTTP_PORT": "1",
    "LIAISON_HTTP_HOST": "192.0.2.1",
    "LIAISON_TOKENS_FILE": NOWHERE,
    "LIAISON_OPEN_PAGE": "true",
}


def shadowing(folder: Path) -> str:
    folder.mkdir()
    for name in SHADOWED:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of another program')\n")
    return str(folder)


def hostile(folder: Path) -> dict[str, str]:
    """Every variable that is known to have broken a program like this one, with a value that would."""
    python = {
        "PYTHONPATH": shadowing(folder / "shadowing"),
        "PYTHONSTARTUP": NOWHERE,
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "ascii",
        "PYTHONTZPATH": NOWHERE,
        "PYTHONNOUSERSITE": "1",
    }
    return {**PROXIES, **POSTGRES, **JAVA, **MACHINE, **LEFT_OVER, **python}


def environments(stack: Stack) -> dict[str, Mapping[str, str]]:
    return {part["name"]: psutil.Process(part["pid"]).environ() for part in stack.status()["parts"]}


@pytest.mark.parametrize("isolated", [(), ("--isolated",)], ids=["together", "isolated"])
def test_case_60_a_stack_works_whatever_the_shell_has_set(
    tmp_path: Path, isolated: tuple[str, ...]
):
    env = hostile(tmp_path)
    stack = Stack(tmp_path / "data", env=env)
    try:
        endpoints = stack.up("--port", "0", *isolated)
        now = json.loads(stack.run("status", "--json").out)
        assert now["ready"] is True
        assert set(now["lag"]) == set(now["outbox_age_s"]) == set(SERVICES)
        assert json.loads(stack.run("dead-letters", "list", "--json").out) == []
        doctor = stack.run("doctor")
        assert doctor.code == 0, doctor.out + doctor.err
        kept = stack.run("backup", str(tmp_path / "copy.zip"))
        assert kept.code == 0, kept.out + kept.err
        for name, around in environments(stack).items():
            strange = {k for k in env if around.get(k) == env[k] and not k.startswith("LIAISON_")}
            assert strange == set(), name
            assert around.get("LIAISON_HTTP_HOST", "127.0.0.1") == "127.0.0.1"
        assert endpoints["web"]
    finally:
        assert stack.down().code == 0


def test_case_60_a_server_is_given_what_is_on_the_list_and_no_more(tmp_path: Path):
    stack = Stack(tmp_path / "data", env={"OF_A_NEIGHBOUR": "1", "GIT_DIR": str(tmp_path)})
    try:
        stack.up("--port", "0")
        allowed = {*KEPT, "LC_ALL", "LD_LIBRARY_PATH", "CLASSPATH", "PYTHONPATH", "PYTHONUTF8"}
        for name, around in environments(stack).items():
            assert {k for k in around if not k.startswith("LIAISON_")} <= allowed, name
            if name in ("postgres", "kafka"):
                assert not [k for k in around if k.startswith("LIAISON_")]
    finally:
        stack.down()
