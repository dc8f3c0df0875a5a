"""Settings that every program reads from its environment; each service's settings extend them."""

from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, Field, FilePath, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.auth.issuer import (
    PARTY_CLAIM,
    ROLE_CLAIM,
    SOURCES_CLAIM,
    Issuer,
    desk_issuer,
    safe_url,
)
from shared.delivery.kafka.address import KafkaAddress, Login
from shared.http.middleware.origins import read_origins
from shared.http.middleware.proxies import TrustedProxies, parse_network


def _holding(file: Path) -> Path:
    if not _secret(file):
        raise ValueError("there is nothing in this file")
    return file


def _secret(file: Path) -> str:
    return file.read_text("utf-8").strip()


def _networks(text: str) -> str:
    for network in _listed(text):
        parse_network(network)
    return text


def _origins(text: str) -> str:
    read_origins(text)
    return text


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


SecretFile = Annotated[FilePath, AfterValidator(_holding)]
"""A file with one secret in it; space around it does not count."""


SafeUrl = Annotated[str, AfterValidator(safe_url)]
"""An address by TLS, or on this machine."""


class ServerSettings(BaseSettings):
    """PostgreSQL and Kafka: addresses and logins, from variables that begin with `LIAISON_`."""

    model_config = SettingsConfigDict(
        env_prefix="LIAISON_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str = Field(
        "", description="PostgreSQL, such as postgresql://user:secret@host:5432/liaison"
    )
    database_password_file: SecretFile | None = Field(
        None, description="file with the password for `database_url`, where that has none"
    )
    kafka: str = Field("", description="Kafka's bootstrap servers, host:port joined by commas")
    kafka_user: str | None = Field(None, description="Kafka user (SCRAM-SHA-512)")
    kafka_password_file: SecretFile | None = Field(
        None, description="file with the Kafka user's password"
    )
    kafka_ca_file: FilePath | None = Field(
        None, description="CA certificates (PEM) for the brokers; enables TLS"
    )
    topic_prefix: str = Field(
        "", pattern=r"^[a-z0-9._-]*$", description="prefix of every topic and consumer group"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> "ServerSettings":
        if (self.kafka_user is None) != (self.kafka_password_file is None):
            raise ValueError("LIAISON_KAFKA_USER and LIAISON_KAFKA_PASSWORD_FILE go together")
        return self

    @property
    def database(self) -> str:
        """The database's URL with the password in it; empty where there is none."""
        if not self.database_url or self.database_password_file is None:
            return self.database_url
        joint = "&" if "?" in self.database_url else "?"
        secret = quote(_secret(self.database_password_file), safe="")
        return f"{self.database_url}{joint}password={secret}"

    @property
    def kafka_address(self) -> KafkaAddress:
        """Return the address and login of Kafka, and the prefix of its names."""
        login = None
        if self.kafka_user is not None and self.kafka_password_file is not None:
            login = Login(self.kafka_user, _secret(self.kafka_password_file))
        return KafkaAddress(self.kafka, self.topic_prefix, login, self.kafka_ca_file)


class ServiceSettings(ServerSettings):
    """Settings of each service; a wrong or missing one is named when the program starts."""

    database_url: str = Field(description=ServerSettings.model_fields["database_url"].description)
    kafka: str = Field(description=ServerSettings.model_fields["kafka"].description)
    http_host: str = "127.0.0.1"
    http_port: int = Field(8000, ge=0, le=65535)
    tokens_file: Path | None = Field(None, description="JSON list of {sha256, role, party}")
    oidc_issuer: SafeUrl | None = Field(None, description="issuer of JWTs (`iss`)")
    oidc_audience: str | None = Field(None, description="audience that JWTs must name (`aud`)")
    oidc_jwks_url: SafeUrl | None = Field(
        None, description="URL of the issuer's JWKS; by default from its discovery document"
    )
    oidc_role_claim: str = Field(ROLE_CLAIM, description="claim with the role")
    oidc_party_claim: str = Field(PARTY_CLAIM, description="claim with the party")
    oidc_sources_claim: str = Field(
        SOURCES_CLAIM, description="claim with the sources that a system may submit under"
    )
    oidc_ca_file: FilePath | None = Field(None, description="CA certificates (PEM) for the issuer")
    desk_jwks_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+/[^?#\s]*$",
        description="URL of the desk's JWKS; the tokens that the desk signs count with it",
    )
    requests_per_minute: int | None = Field(
        None,
        ge=1,
        description="rate limit per replica of a role and party, or of an address without a token; "
        "unlimited by default",
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: addresses and networks "
        "(CIDR), joined by commas; none by default",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="web origins whose pages may call the API (CORS), such as https://desk.example, joined by "
        "commas; none by default",
    )
    gateway_key: str = Field(
        "",
        pattern=r"^[!-~]*$",
        description="secret that a trusted proxy sends as X-Liaison-Gateway-Key, beside having its address",
    )
    calendar_file: Path | None = Field(
        None, description="working calendar of the town: days off and hours (TOML)"
    )
    clock_file: Path | None = Field(
        None, description="file with the seconds to add to the clock; for rehearsals"
    )
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+(/[^?#\s]*)?$",
        description="OTLP/HTTP endpoint of a trace collector; no spans without it",
    )
    trace_share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="sampling rate (0 to 1) of traces that begin here",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    pool_size: int = Field(8, ge=2, le=100)

    @model_validator(mode="after")
    def _name_the_audience(self) -> "ServiceSettings":
        # Without an audience every token of the issuer would count, whomever it was made for.
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            raise ValueError("LIAISON_OIDC_ISSUER and LIAISON_OIDC_AUDIENCE go together")
        if self.oidc_jwks_url is not None and self.oidc_issuer is None:
            raise ValueError("LIAISON_OIDC_JWKS_URL needs LIAISON_OIDC_ISSUER")
        return self

    @property
    def proxies(self) -> TrustedProxies:
        """The proxies that are trusted."""
        networks = (parse_network(text) for text in _listed(self.trusted_proxies))
        return TrustedProxies(networks, self.gateway_key)

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the origins whose pages may call the API (CORS)."""
        return read_origins(self.cors_origins)

    @property
    def issuer(self) -> Issuer | None:
        """Return the issuer of signed tokens; None without one."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        return Issuer(
            name=self.oidc_issuer,
            audience=self.oidc_audience,
            role_claim=self.oidc_role_claim,
            party_claim=self.oidc_party_claim,
            sources_claim=self.oidc_sources_claim,
            jwks_url=self.oidc_jwks_url,
            ca_file=self.oidc_ca_file,
        )

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Everybody whose signed tokens count: the town's issuer, the desk."""
        desk = desk_issuer(self.desk_jwks_url) if self.desk_jwks_url else None
        return tuple(issuer for issuer in (self.issuer, desk) if issuer is not None)


Kind = TypeVar("Kind", bound=ServerSettings)


def read_settings(kind: type[Kind]) -> Kind:
    """The settings of the environment. Ends the program, naming each variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as fault:
        lines = [
            f"LIAISON_{'_'.join(str(step) for step in error['loc']).upper()}: {error['msg']}"
            if error["loc"]
            else error["msg"]
            for error in fault.errors(include_input=False, include_url=False)
        ]
        raise SystemExit(
            "Settings in the environment are missing or wrong:\n" + "\n".join(lines)
        ) from None
