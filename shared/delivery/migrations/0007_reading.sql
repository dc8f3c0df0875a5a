-- How far each consumer group has read, beside what Kafka keeps: it forgets a group that was away for a week.
create table reading_position (
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (consumer_group, topic, partition)
);

-- Offsets that Kafka deleted before a group had read them, until an operator acknowledges it.
create table lost_records (
    id uuid primary key default uuidv7(),
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    first_offset bigint not null,
    last_offset bigint not null,
    found_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    because text,
    constraint lost_records_place unique (consumer_group, topic, partition, first_offset)
);
create index lost_records_waiting on lost_records (found_at) where acknowledged_at is null;
