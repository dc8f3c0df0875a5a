"""What a run stands on: stand-ins where an image cannot be pulled, ports, passwords and tokens of its own."""

import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.common.tokens import SAMPLE
from deploy.local.embedded.ports import pick_apart
from deploy.sample_town import parties
from shared.delivery.kafka.address import KafkaAddress, Login
from tests.compose.building import built
from tests.compose.engine import Failed, Stack, has_image, run
from tests.faults.replicas import token_entries

STANDINS = {
    "caddy:2": "gateway",
    "prom/prometheus:v3.5.0": "prometheus",
    "prom/node-exporter:v1.9.1": "disks",
    "jaegertracing/jaeger:2.13.0": "traces",
}
"""Images by their public names, and the folder here of what stands in for each."""
TOKENS_SCRIPT = "umask 077 && mkdir -p .liaison && cat > .liaison/tokens.json"


def make_standins() -> list[str]:
    """Build what stands in for images that are not there and cannot be pulled; their names.

    One that is made of a Go program is left out where there is no `go`.
    """
    made = []
    for name, folder in STANDINS.items():
        if not has_image(name) and not _pulled(name):
            sources = Path(__file__).parent / folder
            context = built(sources)
            if context is not None:
                file = ["--file", str(sources / "Dockerfile")]
                run(["docker", "build", "--quiet", "--tag", name, *file, str(context)])
                made.append(name)
    return made


def _pulled(name: str) -> bool:
    try:
        run(["docker", "pull", "--quiet", name], seconds=120)
    except Failed:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Site:
    """A stack's place: where it listens, and what it was told."""

    folder: Path
    stack: Stack
    ports: Mapping[str, int]
    tokens: Mapping[str, str] = field(repr=False)

    @property
    def web(self) -> str:
        return f"https://localhost:{self.ports['https']}"

    @property
    def kafka(self) -> str:
        """Kafka past its users, for the checker."""
        return f"127.0.0.1:{self.ports['kafka']}"

    def kafka_for(self, user: str, secret: str = "") -> KafkaAddress:
        """Kafka as other systems reach it, by TLS; with a password other than the user's own if one is given."""
        known = (self.folder / "secrets" / f"kafka_{user}").read_text().strip()
        authority = self.folder / "secrets" / "kafka_authority"
        outside = f"127.0.0.1:{self.ports['outside']}"
        return KafkaAddress(outside, login=Login(user, secret or known), ca_file=authority)

    @property
    def database(self) -> str:
        secret = (self.folder / "secrets" / "database_admin").read_text().strip()
        return f"postgresql://liaison:{secret}@127.0.0.1:{self.ports['postgres']}/liaison"

    @property
    def authority(self) -> Path:
        """The certificate of the gateway's own authority, once `fetch_authority` has got it."""
        return self.folder / "root.crt"

    def trust(self) -> ssl.SSLContext:
        """What believes the gateway, and nobody else."""
        return ssl.create_default_context(cafile=self.authority)

    def fetch_authority(self) -> None:
        """Get the certificate to trust the gateway by."""
        place = "/data/caddy/pki/authorities/local/root.crt"
        self.stack.compose("cp", f"gateway:{place}", str(self.authority))

    def put_tokens(self) -> None:
        """Let everybody of the sample town and of the load come in."""
        town = dict(zip(self.tokens.values(), _everybody(), strict=True))
        entries = token_entries(town) + token_entries()
        script = ["--entrypoint", "sh", "liaison", "-c", TOKENS_SCRIPT]
        self.stack.compose("run", "--rm", "-T", *script, stdin=json.dumps(entries))

    def write_endpoints(self) -> Path:
        """The file by which the sample town finds the stack."""
        by_role = {role.value: self.tokens[party] for role, party in SAMPLE.items()}
        found: dict[str, Any] = {"web": self.web, "kafka": self.kafka, "tokens": by_role}
        file = self.folder / "endpoints.json"
        file.write_text(json.dumps(found))
        (self.folder / "demo-tokens.json").write_text(json.dumps(dict(self.tokens)))
        return file


def make_site(folder: Path, project: str) -> Site:
    """A place for a stack: nothing of it runs yet."""
    backups = folder / "backups"
    backups.mkdir(parents=True)
    # The container's user writes there, whoever runs this.
    backups.chmod(0o777)
    run(["deploy/compose/secrets.sh", str(folder / "secrets")])
    ports = _ports(("http", "https", "kafka", "outside", "postgres", "metrics", "traces"))
    env = {
        "LIAISON_DOMAIN": "localhost",
        "LIAISON_SECRETS": str(folder / "secrets"),
        "LIAISON_BACKUPS": str(backups),
        "LIAISON_HTTP_PUBLISH": f"127.0.0.1:{ports['http']}",
        "LIAISON_HTTPS_PUBLISH": f"127.0.0.1:{ports['https']}",
        "LIAISON_KAFKA_OUTSIDE": "SSL",
        "LIAISON_KAFKA_PUBLISH": f"127.0.0.1:{ports['outside']}",
        "LIAISON_METRICS_PUBLISH": f"127.0.0.1:{ports['metrics']}",
        "LIAISON_TRACES_PUBLISH": f"127.0.0.1:{ports['traces']}",
        # From the beginning: until the profile is up nobody listens there, and nobody may notice.
        "LIAISON_OTLP_ENDPOINT": "http://traces:4318",
        "CHECKER_KAFKA_OUTSIDE": str(ports["outside"]),
        "CHECKER_KAFKA": str(ports["kafka"]),
        "CHECKER_POSTGRES": str(ports["postgres"]),
    }
    tokens = {party: secrets.token_urlsafe(24) for _, party in _everybody()}
    return Site(folder, Stack(project, env), ports, tokens)


def _ports(names: tuple[str, ...]) -> dict[str, int]:
    return dict(zip(names, pick_apart(len(names)), strict=True))


def _everybody() -> list[tuple[str, str]]:
    sample = [(role.value, party) for role, party in SAMPLE.items()]
    return sample + [(role, party) for role, party in parties() if (role, party) not in sample]
