"""How the services and the origin are run as programs: their settings, ports and readiness; starts nothing."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Program
from deploy.folder import Folder
from deploy.migrations import SERVICES

ORIGIN = "origin"
TOGETHER = "services"
STOP_SECONDS = 30.0
ASK_SECONDS = 7.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every service is told."""

    folder: Folder
    database_url: str
    kafka: str
    open_page: bool = False

    def env(self, port: int) -> dict[str, str]:
        """The settings of a service that listens on `port`."""
        return {
            "LIAISON_DATABASE_URL": self.database_url,
            "LIAISON_KAFKA": self.kafka,
            "LIAISON_HTTP_HOST": LOOPBACK,
            "LIAISON_HTTP_PORT": str(port),
            "LIAISON_TOKENS_FILE": str(self.folder.tokens_file),
            # Everybody in the sample town is invented, so that anybody may look.
            "LIAISON_OPEN_PAGE": str(self.open_page).lower(),
        }


def together(around: Surroundings, port: int) -> Program:
    """The three services in one process behind one address."""
    return python(TOGETHER, around, port, "deploy.origin")


def alone(service: str, around: Surroundings, port: int) -> Program:
    """One service in a process of its own."""
    return python(service, around, port, f"services.{service}")


def origin(around: Surroundings, port: int, ports: Mapping[str, int]) -> Program:
    """The origin in front of services that listen on `ports`."""
    addresses = [f"{service}=http://{LOOPBACK}:{ports[service]}" for service in SERVICES]
    return python(ORIGIN, around, port, "deploy.origin", *addresses)


def python(name: str, around: Surroundings, port: int, module: str, *arguments: str) -> Program:
    return Program(
        name=name,
        # -P: what lies in the folder that one happens to be in is not imported.
        command=(sys.executable, "-P", "-m", module, *arguments),
        log=around.folder.log(name),
        ready=lambda: says_ready(f"http://{LOOPBACK}:{port}"),
        env=around.env(port),
        stop_signal=signal.SIGTERM,
        stop_seconds=STOP_SECONDS,
        port=port,
    )


def says_ready(address: str) -> bool:
    """Whether what listens at `address` says that it can do its work."""
    try:
        return httpx.get(f"{address}/readyz", timeout=ASK_SECONDS, trust_env=False).is_success
    except (httpx.HTTPError, OSError):
        return False
