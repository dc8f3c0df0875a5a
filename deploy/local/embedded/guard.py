"""Authentication of the embedded broker: its listeners, users and superuser."""

from dataclasses import dataclass, field
from typing import Any, Final

from deploy.local.embedded.ports import LOOPBACK

BROKER: Final = "broker"
"""The broker itself, and the launcher that makes the others: by PLAIN, so that it needs no user in Kafka's own log."""
SERVICES: Final = "liaison"
"""The services and the operator's commands."""
STRANGER: Final = "ANONYMOUS"
"""Kafka's name for whoever comes in without one."""
SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True, slots=True)
class Guard:
    """`port` is for users with passwords; `open_port`, if set, for clients of this machine without one."""

    port: int
    controller: int
    secret: str = field(repr=False)
    open_port: int | None = None

    def settings(self) -> dict[str, str]:
        """Return the broker settings for these listeners."""
        places = {"USERS": self.port, "CONTROLLER": self.controller}
        if self.open_port is not None:
            places["OPEN"] = self.open_port
        listeners = {name: f"{name}://{LOOPBACK}:{port}" for name, port in places.items()}
        own = f'{PLAIN} username="{BROKER}" password="{self.secret}" user_{BROKER}="{self.secret}";'
        return {
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(
                place for name, place in listeners.items() if name != "CONTROLLER"
            ),
            "listener.security.protocol.map": "USERS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,"
            "OPEN:PLAINTEXT",
            "inter.broker.listener.name": "USERS",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.users.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.users.scram-sha-512.sasl.jaas.config": SCRAM,
            "listener.name.users.plain.sasl.jaas.config": own,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": own,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{BROKER};User:{SERVICES}",
        }

    def client(self) -> dict[str, Any]:
        """Return the arguments of an aiokafka client that signs in as the broker's superuser."""
        return {
            "bootstrap_servers": f"{LOOPBACK}:{self.port}",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": BROKER,
            "sasl_plain_password": self.secret,
        }
