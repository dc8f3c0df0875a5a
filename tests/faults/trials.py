"""Which faults each broken build must fail under; the sound ones beside them must not."""

from collections.abc import Mapping

from tests.faults.faults import Fault
from tests.faults.injecting import servers
from tests.faults.programme import Trial

WITHOUT_REWIND = Fault("kafka: wiped, not rewound", lambda stand: servers.kafka_wiped(stand, False))


def trials(known: Mapping[str, Fault]) -> list[Trial]:
    """The eight broken builds, and before them a sound one that gives up batches as soon as they do."""
    errors = [known["routing: table locked"], known["followup: killed inside a batch"]]
    return [
        Trial("hasty", errors, sound=True),
        Trial("default_ack_policy", errors),
        Trial("ack_after_error", errors),
        Trial("ack_by_hand", errors),
        Trial("default_header_parser", [known["poison of every kind"]]),
        Trial("no_inbox", [known["copies of every tenth"]]),
        Trial("relay_by_cursor", [known["copies of every tenth"], known["routing: kill -9"]]),
        Trial("relay_by_transaction", [known["copies of every tenth"]] * 2),
        Trial("kafka_not_rewound", [WITHOUT_REWIND]),
    ]
