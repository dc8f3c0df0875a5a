"""`python -m deploy.gateway`: the services in this process, or at the addresses given for them.

python -m deploy.gateway
python -m deploy.gateway intake=http://127.0.0.1:8001 routing=… followup=… desk=…
"""

import sys
from collections.abc import Sequence

from pydantic import Field
from starlette.types import ASGIApp

from deploy.gateway.app import Origin
from deploy.gateway.proxy import remote_target
from deploy.gateway.target import Target, local_target
from deploy.jobs.migrations import SERVICES
from shared.http.server.connections import RelayingProtocol
from shared.service.serve import serve
from shared.service.settings import ServiceSettings, read_settings


class OriginSettings(ServiceSettings):
    """Settings of the gateway, from variables that begin with `LIAISON_`."""

    services_key: str = Field(
        "", pattern=r"^[!-~]*$", description="the services' own `LIAISON_GATEWAY_KEY`"
    )


def local_targets() -> list[Target]:
    """Build the three apps in this process."""
    apps = _build_services()
    return [local_target(service, apps[service]) for service in SERVICES]


def _build_services() -> dict[str, ASGIApp]:
    # A gateway in front of the services has no use for their code.
    from services.desk.app import build as build_desk  # noqa: PLC0415
    from services.desk.settings import Settings as DeskSettings  # noqa: PLC0415
    from services.followup.app import build as build_followup  # noqa: PLC0415
    from services.followup.settings import Settings as FollowupSettings  # noqa: PLC0415
    from services.intake.app import build as build_intake  # noqa: PLC0415
    from services.intake.settings import Settings as IntakeSettings  # noqa: PLC0415
    from services.routing.app import build as build_routing  # noqa: PLC0415
    from services.routing.settings import Settings as RoutingSettings  # noqa: PLC0415

    apps: dict[str, ASGIApp] = {
        "intake": build_intake(read_settings(IntakeSettings)),
        "routing": build_routing(read_settings(RoutingSettings)),
        "followup": build_followup(read_settings(FollowupSettings)),
    }
    return {**apps, "desk": build_desk(read_settings(DeskSettings), apps)}


def remote_targets(arguments: Sequence[str], key: str) -> list[Target]:
    """Return proxies to the services at these addresses; they trust the gateway's statements by `key`."""
    addresses = dict(argument.split("=", 1) for argument in arguments)
    return [remote_target(service, addresses[service], key) for service in SERVICES]


def main() -> None:
    """Serve until SIGTERM, with the server settings of the services."""
    arguments = sys.argv[1:]
    settings = read_settings(OriginSettings)
    if arguments:
        serve(Origin(remote_targets(arguments, settings.services_key)), settings, RelayingProtocol)
    else:
        serve(Origin(local_targets()), settings)


if __name__ == "__main__":
    main()
