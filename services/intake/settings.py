"""Intake's settings."""

from pydantic import Field

from shared.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Intake's settings; each is a variable `LIAISON_<NAME>`."""

    max_pending_events: int = Field(
        200_000, ge=1, description="with more events than this not yet in Kafka, intake answers 503"
    )
    wrong_receipts_per_minute: int = Field(
        300, ge=1, description="how often one address may name a receipt that there is not"
    )
