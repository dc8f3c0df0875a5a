"""Intake's settings."""

from pydantic import Field

from shared.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Intake's settings; each is a variable `LIAISON_<NAME>`."""

    max_pending_events: int = Field(
        200_000,
        ge=1,
        description="back-pressure: intake answers 503 while more events than this wait",
    )
    wrong_receipts_per_minute: int = Field(
        300, ge=1, description="brute-force guard: wrong receipts a minute of one address"
    )
