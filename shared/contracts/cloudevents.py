"""How a submission travels as a CloudEvent: its type, and which of its names the envelope may stand in for."""

from typing import Final

SUBMITTED_TYPE: Final = "liaison.request.submitted.v1"


def with_envelope_names(
    data: dict[str, object], source: object, event_id: object
) -> dict[str, object]:
    """`data` with `source` and `source_ref` taken from the envelope where it does not name them itself."""
    names = {"source": source, "source_ref": event_id}
    return {key: value for key, value in names.items() if value is not None} | data
