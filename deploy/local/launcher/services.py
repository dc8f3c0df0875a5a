"""The services and the gateway as programs: settings, ports, readiness."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe

from deploy.common.folder import Folder
from deploy.common.loopback import answers_well
from deploy.jobs.migrations import FIRST_SERVICES, SERVICES
from deploy.local.embedded.environment import service_environment
from deploy.local.embedded.ports import LOOPBACK
from deploy.local.embedded.process import Program
from shared.delivery.kafka.address import KafkaAddress

ORIGIN = "origin"
TOGETHER = "services"
RECONCILE = "reconcile"
STOP_SECONDS = 30.0
ASK_SECONDS = 7.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Settings common to all services of a stack."""

    folder: Folder
    database_url: str
    kafka: KafkaAddress
    open_page: bool = False
    kafka_login: Mapping[str, str] = field(default_factory=dict)
    gateway_key: str = field(default_factory=token_urlsafe, repr=False)

    def env(self, port: int, desk_port: int) -> dict[str, str]:
        """Return the environment of a service that listens on `port`, where the desk listens on `desk_port`."""
        return {
            **service_environment(),
            "LIAISON_DATABASE_URL": self.database_url,
            "LIAISON_DATABASE_PASSWORD_FILE": "",
            "LIAISON_KAFKA": self.kafka.bootstrap,
            **self.kafka_login,
            "LIAISON_HTTP_HOST": LOOPBACK,
            "LIAISON_HTTP_PORT": str(port),
            "LIAISON_TOKENS_FILE": str(self.folder.tokens_file),
            "LIAISON_DESK_KEY_FILE": str(self.folder.desk_key),
            "LIAISON_DESK_JWKS_URL": f"http://{LOOPBACK}:{desk_port}/desk/jwks.json",
            # Everybody in the sample town is invented, so that anybody may look.
            "LIAISON_OPEN_PAGE": str(self.open_page).lower(),
        }


def together(around: Surroundings, port: int) -> Program:
    """Return the program that runs all services in one process behind one address."""
    return python(TOGETHER, around, port, port, "deploy.gateway")


def alone(service: str, around: Surroundings, ports: Mapping[str, int]) -> Program:
    """Return the program that runs one service in its own process; `ports` by service."""
    # Any process of this machine can call from the loopback address; other users' cannot read this environment.
    proxies = {"LIAISON_TRUSTED_PROXIES": LOOPBACK, "LIAISON_GATEWAY_KEY": around.gateway_key}
    program = python(service, around, ports[service], ports["desk"], f"services.{service}")
    others = _addresses(ports) if service == "desk" else {}
    key = {"LIAISON_SERVICES_KEY": around.gateway_key} if service == "desk" else {}
    return replace(program, env={**program.env, **proxies, **others, **key})


def _addresses(ports: Mapping[str, int]) -> dict[str, str]:
    """Where the desk finds the other services."""
    return {
        f"LIAISON_{service.upper()}_URL": f"http://{LOOPBACK}:{ports[service]}"
        for service in FIRST_SERVICES
    }


def origin(around: Surroundings, port: int, ports: Mapping[str, int]) -> Program:
    """Return the gateway's program, for services that listen on `ports`."""
    addresses = [f"{service}=http://{LOOPBACK}:{ports[service]}" for service in SERVICES]
    program = python(ORIGIN, around, port, ports["desk"], "deploy.gateway", *addresses)
    return replace(program, env={**program.env, "LIAISON_SERVICES_KEY": around.gateway_key})


def reconcile(around: Surroundings) -> Program:
    """Return the program of the reconciliation, which compares the services' rows and corrects persistent
    differences.
    """
    return Program(
        name=RECONCILE,
        command=(sys.executable, "-P", "-m", "deploy.operations.reconciliation.reconciler"),
        log=around.folder.log(RECONCILE),
        ready=lambda: True,
        # All that a service is told, so that nothing of it is taken from the shell; it listens nowhere.
        env=around.env(0, 0),
    )


def python(
    name: str, around: Surroundings, port: int, desk_port: int, module: str, *arguments: str
) -> Program:
    return Program(
        name=name,
        # -P: what lies in the folder that one happens to be in is not imported.
        command=(sys.executable, "-P", "-m", module, *arguments),
        log=around.folder.log(name),
        ready=lambda: answers_well(f"http://{LOOPBACK}:{port}/readyz", ASK_SECONDS),
        env=around.env(port, desk_port),
        stop_signal=signal.SIGTERM,
        stop_seconds=STOP_SECONDS,
        port=port,
    )
