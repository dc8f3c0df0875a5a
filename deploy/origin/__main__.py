"""`python -m deploy.origin`: the services in this process, or at the addresses given for them.

python -m deploy.origin
python -m deploy.origin intake=http://127.0.0.1:8001 routing=… followup=…
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from pydantic import Field
from starlette.types import ASGIApp

from deploy.migrations import SERVICES
from deploy.origin.app import Origin
from deploy.origin.proxy import remote_target
from deploy.origin.target import Target, local_target
from shared.http.server.connections import RelayingProtocol
from shared.service.serve import serve
from shared.service.settings import ServiceSettings, read_settings


class OriginSettings(ServiceSettings):
    """The settings of the gateway."""

    services_key: str = Field(
        "", pattern=r"^[!-~]*$", description="the services' own `LIAISON_GATEWAY_KEY`"
    )


def local_targets() -> list[Target]:
    """Build the services as their own processes would."""
    return [local_target(service, built(service)) for service in SERVICES]


def built(service: str) -> ASGIApp:
    settings = read_settings(import_module(f"services.{service}.settings").Settings)
    app: ASGIApp = import_module(f"services.{service}.app").build(settings)
    return app


def remote_targets(arguments: Sequence[str], key: str) -> list[Target]:
    """The services at the addresses of the command line, which believe who sends `key`."""
    addresses = dict(argument.split("=", 1) for argument in arguments)
    return [remote_target(service, addresses[service], key) for service in SERVICES]


def main() -> None:
    """Serve until told to stop, by the same settings as the services."""
    arguments = sys.argv[1:]
    settings = read_settings(OriginSettings)
    if arguments:
        serve(Origin(remote_targets(arguments, settings.services_key)), settings, RelayingProtocol)
    else:
        serve(Origin(local_targets()), settings)


if __name__ == "__main__":
    main()
