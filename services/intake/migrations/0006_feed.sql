-- What a system learns of its requests: followup's events as they came, and a numbered list for each reader.

-- Events of matters, as long as feeds keep them. Intake's own events stay in `event`.
create table matter_event (
    seq bigint generated always as identity primary key,
    id uuid not null,
    source text not null,
    subject uuid not null,
    version integer not null,
    type text not null,
    at timestamptz not null,
    causation_id uuid,
    traceparent text,
    data json not null,
    entered_at timestamptz not null default now(),
    constraint matter_event_version unique (subject, version, id)
);
create index matter_event_entered on matter_event (entered_at);

-- One row for each event and each name that may read it: a source, or the party of a system's token. Positions are given
-- after the commit of the event and under the lock of `feed_head`, so that what is visible is never preceded later.
create table feed (
    name text not null,
    position bigint not null,
    request_id uuid,
    event_seq bigint,
    matter_seq bigint,
    followed boolean not null default false,
    entered_at timestamptz not null default now(),
    -- A page reads one name from a position on: an index by position alone would be read for it past all other names.
    primary key (name, position),
    constraint feed_of_one_event check ((event_seq is null) <> (matter_seq is null))
);
create index feed_entered on feed (entered_at, position);
create unique index feed_matter on feed (matter_seq, name) where matter_seq is not null;
create unique index feed_event on feed (event_seq, name) where event_seq is not null;

-- The last position, and how far the two histories have been numbered.
create table feed_head (
    position bigint not null,
    event_seq bigint not null,
    matter_seq bigint not null
);

-- Registrations and rejections of the last 30 days appear too.
insert into feed_head (position, event_seq, matter_seq)
select 0, coalesce((select min(seq) - 1 from event where at > now() - interval '30 days'),
                   (select max(seq) from event), 0), 0;

-- The last position of each name that is not kept any more: a cursor before it has missed something.
create table feed_forgotten (
    name text primary key,
    position bigint not null
);

create index progress_merged on progress (merged_into) where merged_into is not null;
