"""The desk's settings."""

from datetime import timedelta

from pydantic import Field, model_validator

from shared.service.settings import SecretFile, ServiceSettings

_URL = r"^https?://[^/?#\s]+$"


class Settings(ServiceSettings):
    """The desk's settings; each is a variable `LIAISON_<NAME>`."""

    desk_key_file: SecretFile = Field(
        description="Ed25519 private keys (PEM) of the desk's tokens: the first signs, all are published"
    )
    intake_url: str | None = Field(
        None,
        pattern=_URL,
        description="intake, such as http://intake:8000; by default in this process",
    )
    routing_url: str | None = Field(
        None, pattern=_URL, description="routing; by default in this process"
    )
    followup_url: str | None = Field(
        None, pattern=_URL, description="followup; by default in this process"
    )
    services_key: str = Field(
        "", pattern=r"^[!-~]*$", description="the services' own `LIAISON_GATEWAY_KEY`"
    )
    open_page: bool = Field(
        False, description="whether everybody may look at the live page; else any of the staff"
    )
    session_hours: int = Field(
        12,
        ge=1,
        le=24 * 31,
        description="hours after which a session ends, however much it is used",
    )
    idle_minutes: int = Field(
        120, ge=5, le=24 * 60, description="minutes without a page after which a session ends"
    )

    wrong_sign_ins_per_minute: int = Field(
        60, ge=1, description="wrong passwords, codes, tokens and links a minute and address"
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> "Settings":
        if len({url is None for url in self.urls.values()}) > 1:
            raise ValueError(
                "LIAISON_INTAKE_URL, LIAISON_ROUTING_URL and LIAISON_FOLLOWUP_URL go together"
            )
        return self

    @property
    def session_life(self) -> timedelta:
        """After which a session ends, however much it is used."""
        return timedelta(hours=self.session_hours)

    @property
    def idle(self) -> timedelta:
        """After which a session ends that is not used."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def urls(self) -> dict[str, str | None]:
        """Where each service is; None for one of this process."""
        return {
            "intake": self.intake_url,
            "routing": self.routing_url,
            "followup": self.followup_url,
        }
