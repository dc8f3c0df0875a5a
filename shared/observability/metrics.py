"""Prometheus metrics of the services: names, labels and buckets. Labels hold closed sets, never personal data."""

from prometheus_client import Counter, Gauge, Histogram

TAKEN = Counter("liaison_events_taken_total", "Records taken in from Kafka.", ["service", "topic"])
RELAYED = Counter("liaison_events_relayed_total", "Events acknowledged by Kafka.", ["service"])
BATCH_SECONDS = Histogram(
    "liaison_batch_duration_seconds",
    "Time to take one batch of records in, durably.",
    ["service"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
REQUEST_SECONDS = Histogram(
    "liaison_http_request_duration_seconds",
    "Time to answer an HTTP request; streams are not counted.",
    ["service", "method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
OUTBOX_AGE = Gauge(
    "liaison_outbox_age_seconds", "Age of the oldest event not yet in Kafka.", ["service"]
)
OUTBOX_EVENTS = Gauge("liaison_outbox_events", "Events not yet acknowledged by Kafka.", ["service"])
DEAD_LETTERS = Gauge(
    "liaison_dead_letters", "Messages that wait for an operator.", ["service", "fate"]
)
CONSUMER_LAG = Gauge(
    "liaison_consumer_lag_records", "Records not yet taken in.", ["service", "topic"]
)
CONSUMER_HELD = Gauge(
    "liaison_consumer_held_seconds",
    "How long a sender's open transaction has held records back, on the partition that is held longest.",
    ["service", "topic"],
)
RECORDS_LOST = Gauge(
    "liaison_records_lost",
    "Records that Kafka deleted before they were read, and nobody has acknowledged.",
    ["service"],
)
VERSION_CONFLICTS = Counter(
    "liaison_version_conflicts_total",
    "Events of a version that was applied before from an event with another id.",
    ["service", "topic"],
)
SIGNED_TOKENS = Counter(
    "liaison_signed_tokens_total", "Signed tokens, by what became of them.", ["service", "result"]
)
ISSUER_FETCHES = Counter(
    "liaison_issuer_fetches_total",
    "Times that the issuer of signed tokens was asked for its keys.",
    ["service", "result"],
)
ISSUER_KEYS = Gauge(
    "liaison_issuer_keys", "Keys that signed tokens are verified with.", ["service"]
)
DESK_KEY_FETCHES = Counter(
    "liaison_desk_key_fetches_total",
    "Times that the desk was asked for the keys of its tokens.",
    ["service", "result"],
)
DESK_KEYS = Gauge(
    "liaison_desk_keys", "Keys that the desk's tokens are verified with.", ["service"]
)
SIGN_INS = Counter(
    "liaison_sign_ins_total",
    "Attempts to sign in at the desk, by what was shown and what became of it.",
    ["service", "method", "result"],
)
ACCOUNT_CHANGES = Counter(
    "liaison_account_changes_total",
    "What people changed about their own sign-in.",
    ["service", "reason"],
)
TASK_RESTARTS = Counter(
    "liaison_task_restarts_total",
    "Background tasks that failed and were begun again.",
    ["service", "task"],
)
STREAMS_OPEN = Gauge("liaison_streams_open", "Event streams that are open.", ["service"])
STREAMS_REFUSED = Counter(
    "liaison_streams_refused_total",
    "Event streams that were refused, by whose limit was reached.",
    ["service", "reason"],
)
STREAMS_ENDED = Counter(
    "liaison_streams_ended_total",
    "Event streams that the service ended: a right was lost, or the reader took nothing.",
    ["service", "reason"],
)
POOL_IN_USE = Gauge(
    "liaison_pool_connections_in_use", "Connections to PostgreSQL that are at work.", ["service"]
)
POOL_LIMIT = Gauge(
    "liaison_pool_connections_limit",
    "Connections to PostgreSQL that a replica may have.",
    ["service"],
)
POOL_WAIT_SECONDS = Histogram(
    "liaison_pool_wait_seconds",
    "Time until a connection to PostgreSQL was had, or was given up.",
    ["service"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SWEEP_LATE = Gauge(
    "liaison_sweep_late_seconds",
    "How long what is due first has been due without being acted on.",
    ["service"],
)
