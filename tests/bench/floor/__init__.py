"""The floor: the least three programs that could do with a submission what the services do, on aiokafka and asyncpg.

`python -m tests.bench.floor intake|routing|followup`, with the services' own settings of database, Kafka and prefix.

The same: the topics, the number of messages and of their headers, their values' fields and so about their size; the
rows that are there in the end, in the same tables with the same indexes and constraints; batches of 500 at most, one
transaction and one durable commit for each, offsets committed after it; an idempotent producer that waits for all
replicas; orjson, uvloop.

Left out: everything that can be wrong or refused. No validation and no model of a message; no rules (the liaison is
drawn from the enterprise's code; department, limits and words are fixed); nothing is looked up, locked, counted or
explained; no outbox and no relay (a message is sent after the commit, so that a crash between the two loses it); no
look at what was taken in before, though the rows that would tell are written; no order of versions; no dead letters,
no retry, no split of a batch; no HTTP, no timers, no health, no telemetry, no supervision.

With `FLOOR_ROWS=told` it leaves the rows of `inbox` and `seen` out too. Then it could not do the same, for a message
that comes twice is done twice; it says what those rows cost.
"""
