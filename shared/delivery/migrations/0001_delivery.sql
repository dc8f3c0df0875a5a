-- The tables of delivery, the same in every service's schema.

-- What happened, for ever: history, audit trail and replay source. `seq` is drawn while the subject's row is
-- locked, so the visible events of one subject are always a prefix of its versions.
create table event (
    seq bigint generated always as identity primary key,
    id uuid not null,
    subject text not null,
    version integer not null constraint event_version_positive check (version > 0),
    type text not null,
    topic text not null,
    at timestamptz not null,
    causation_id uuid,
    traceparent text,
    data json not null,
    constraint event_subject_version unique (subject, version)
);

-- What Kafka has not acknowledged yet. Rewinding is inserting sequence numbers again.
create table outbox (
    seq bigint primary key
);

-- What has been taken in, so that a redelivery is harmless.
create table inbox (
    event_id uuid primary key,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    at timestamptz not null default now()
);

-- How far each subject has been followed on each topic; `held` says that letters of it are waiting.
create table seen (
    subject text not null,
    topic text not null,
    version integer not null,
    held boolean not null default false,
    primary key (subject, topic)
) with (fillfactor = 80);

-- Every message that could not be applied, as raw as it came, with the reason.
--   poison: unreadable   failed: its handler raised   unknown_version: of a contract newer than this program
--   early: its subject is not known here yet   gap: an earlier version of its subject is missing or stuck
create table dead_letter (
    id uuid primary key default uuidv7(),
    fate text not null constraint dead_letter_fate
        check (fate in ('poison', 'failed', 'unknown_version', 'early', 'gap')),
    state text not null default 'waiting' constraint dead_letter_state
        check (state in ('waiting', 'replayed', 'discarded')),
    reason text not null,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    value_hash bytea not null,
    key bytea,
    value bytea,
    header_names text[] not null,
    header_values bytea[] not null,
    subject text,
    version integer,
    attempts integer not null default 1,
    first_failed_at timestamptz not null default now(),
    last_failed_at timestamptz not null default now(),
    asked text constraint dead_letter_asked check (asked in ('replay', 'discard')),
    asked_by text,
    asked_because text,
    -- Offsets start again when a topic is made anew, so the place alone does not name a message.
    constraint dead_letter_place unique (topic, partition, "offset", value_hash)
);
create index dead_letter_waiting on dead_letter (subject, topic, version) where state = 'waiting';
create index dead_letter_asked_for on dead_letter (id) where asked is not null;

-- The answers given under an Idempotency-Key.
create table idempotency (
    party text not null,
    key text not null,
    fingerprint bytea not null,
    status integer not null,
    headers json not null,
    body json not null,
    at timestamptz not null default now(),
    primary key (party, key)
);
create index idempotency_age on idempotency (at);
