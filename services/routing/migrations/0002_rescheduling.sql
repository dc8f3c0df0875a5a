-- Orders to compute open limits anew; the same table in each service that keeps limits.

create table rescheduling (
    id uuid primary key default uuidv7(),
    apply boolean not null,
    cause text not null constraint rescheduling_cause check (cause in ('calendar', 'limits')),
    asked_by text not null,
    asked_at timestamptz not null default now(),
    calendar_version text,
    after uuid not null default '00000000-0000-0000-0000-000000000000',
    moved integer not null default 0,
    moves json not null default '[]',
    done_at timestamptz
);
create index rescheduling_open on rescheduling (id) where done_at is null;
