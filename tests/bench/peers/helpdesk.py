"""django-helpdesk in an environment of its own, behind gunicorn: tickets come by its API, with whom they are for."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.local.embedded.jars import cache_folder
from deploy.local.embedded.ports import LOOPBACK
from tests.bench.ground import Place, Service
from tests.bench.peers.posting import post_for

SITE = Path(__file__).with_name("helpdesk_site")
WORKERS, THREADS = 3, 4
INSTALL_SECONDS, PREPARE_SECONDS = 300, 120


def environment() -> Path:
    """Its virtual environment, made with what `requirements.txt` locks when it is not there.

    Raises subprocess.SubprocessError or OSError.
    """
    folder = cache_folder() / "bench" / "helpdesk"
    done, wanted = folder / "installed", (SITE / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=60)
        install = (folder / "bin/python", "-m", "pip", "install", "-q", "--require-hashes", "-r")
        subprocess.run([*install, SITE / "requirements.txt"], check=True, timeout=INSTALL_SECONDS)
        done.write_text(wanted)
    return folder / "bin"


async def run(place: Place, seconds: float, connections: int) -> tuple[float, dict[str, Any]]:
    """Tickets a second that were created and assigned in one call each, without an e-mail being sent."""
    programs = await asyncio.to_thread(environment)
    settings = {"PEER_DATABASE_URL": place.url, "DJANGO_SETTINGS_MODULE": "settings"}
    prepared = await asyncio.to_thread(
        subprocess.run,
        [programs / "python", "prepare.py"],
        cwd=SITE,
        env=os.environ | settings,
        check=True,
        capture_output=True,
        timeout=PREPARE_SECONDS,
    )
    made = json.loads(prepared.stdout)
    server = Service("django-helpdesk", (), settings, place.folder / "helpdesk.log")
    server.command = (
        str(programs / "gunicorn"),
        *("--chdir", str(SITE), "--bind", f"{LOOPBACK}:{server.port}"),
        *("--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(THREADS)),
        *("--log-level", "error", "django.core.wsgi:get_wsgi_application()"),
    )
    bodies = [json.dumps(_ticket(made, number)).encode() for number in range(20_000)]
    headers = {"authorization": f"Token {made['token']}"}
    target = server.address + "/api/tickets/"
    try:
        server.start()
        await server.ready("/login/")
        await post_for(target, headers, bodies[-200:], connections, seconds)
        posted = await post_for(target, headers, bodies, connections, seconds)
    finally:
        await server.stop()
    return posted.accepted / posted.seconds, posted.noted()


def _ticket(made: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "queue": made["queue"],
        "title": f"园区北门道路积水 {number}",
        "description": "雨后积水约二十厘米,货车无法进出。",
        "submitter_email": "firm@example.org",
        "assigned_to": made["staff"][number % len(made["staff"])],
        "priority": 3,
    }
