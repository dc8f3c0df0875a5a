"""Routing's settings."""

from pydantic import Field

from services.routing.domain.dispatching import Limits
from shared.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Routing's settings; each is a variable `LIAISON_<NAME>`."""

    accept_minutes: int = Field(
        120,
        ge=1,
        le=6000,
        description="working minutes to accept an offer, unless a rule sets them",
    )
    emergency_minutes: int = Field(
        30, ge=1, le=1440, description="wall-clock minutes to accept an emergency"
    )
    review_days: int = Field(1, ge=1, le=30, description="working days to rule an objection")
    simple_days: int = Field(5, ge=1, le=365, description="working days to handle a simple matter")
    complex_days: int = Field(15, ge=1, le=365, description="working days for a complex one")

    @property
    def limits(self) -> Limits:
        """Return the limits as the rules take them."""
        return Limits(
            accept_minutes=self.accept_minutes,
            emergency_minutes=self.emergency_minutes,
            simple_days=self.simple_days,
            complex_days=self.complex_days,
            review_days=self.review_days,
        )
