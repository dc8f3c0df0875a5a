"""Kafka's address and login for all clients."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from faststream.security import BaseSecurity, SASLScram512

MECHANISM: Final = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class Login:
    """A Kafka user, authenticated by SCRAM: the password itself is never sent."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Address of Kafka; `prefix` comes before every topic and group, so that several towns can share a cluster."""

    bootstrap: str
    """The servers, host:port joined by commas."""
    prefix: str = ""
    login: Login | None = None
    ca_file: Path | None = None
    """Whom to believe that it is Kafka, certificates in PEM; with it every byte goes by TLS."""

    def topic(self, name: str) -> str:
        """The name of a topic on this cluster."""
        return self.prefix + name

    def client(self) -> dict[str, Any]:
        """The arguments that every aiokafka client takes. Raises OSError when the certificates cannot be read."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        context = self._trust()
        if context is not None:
            arguments["ssl_context"] = context
        if self.login is not None:
            arguments["sasl_mechanism"] = MECHANISM
            arguments["sasl_plain_username"] = self.login.user
            arguments["sasl_plain_password"] = self.login.password
        sasl, tls = self.login is not None, context is not None
        arguments["security_protocol"] = ("SASL_" if sasl else "") + ("SSL" if tls else "PLAINTEXT")
        return arguments

    def security(self) -> BaseSecurity:
        """Return the login as FastStream takes it."""
        context = self._trust()
        tls = context is not None
        if self.login is None:
            return BaseSecurity(ssl_context=context, use_ssl=tls)
        return SASLScram512(self.login.user, self.login.password, ssl_context=context, use_ssl=tls)

    def _trust(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
