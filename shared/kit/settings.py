"""What every service is told by its environment; each service's own settings module builds on it."""

from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kit.relay import KafkaAddress


class ServiceSettings(BaseSettings):
    """Read from variables that begin with `LIAISON_`; a wrong or missing one is named when the program starts."""

    model_config = SettingsConfigDict(env_prefix="LIAISON_", frozen=True, extra="ignore")

    database_url: str = Field(
        description="PostgreSQL, such as postgresql://user:secret@host:5432/liaison"
    )
    kafka: str = Field(description="Kafka's bootstrap servers, host:port joined by commas")
    topic_prefix: str = Field(
        "", pattern=r"^[a-z0-9._-]*$", description="before every topic and group"
    )
    http_host: str = "127.0.0.1"
    http_port: int = Field(8000, ge=0, le=65535)
    tokens_file: Path | None = Field(None, description="JSON list of {sha256, role, party}")
    calendar_file: Path | None = Field(None, description="the town's own days off and hours, TOML")
    clock_file: Path | None = Field(None, description="seconds to add to the clock; for rehearsals")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    pool_size: int = Field(8, ge=2, le=100)

    @property
    def kafka_address(self) -> KafkaAddress:
        """Where Kafka is, and the prefix of its names."""
        return KafkaAddress(self.kafka, self.topic_prefix)


Kind = TypeVar("Kind", bound=ServiceSettings)


def read_settings(kind: type[Kind]) -> Kind:
    """The settings of the environment. Ends the program, naming each variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as fault:
        lines = [
            f"LIAISON_{'_'.join(str(step) for step in error['loc']).upper()}: {error['msg']}"
            for error in fault.errors(include_input=False, include_url=False)
        ]
        raise SystemExit(
            "Settings in the environment are missing or wrong:\n" + "\n".join(lines)
        ) from None
