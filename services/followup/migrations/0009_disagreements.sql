-- Where what services know of a matter differs from what its owner recorded, as the reconciliation finds it.

-- `looks` counts the runs in a row that found it; `gone_at` is when a run found it no longer.
create table disagreement (
    matter_id uuid not null,
    service text not null,
    what text not null,
    looks integer not null default 1,
    found_at timestamptz not null default now(),
    gone_at timestamptz,
    primary key (matter_id, service, what)
);

-- One row: how far the walk over matters that ended has come, and when a run was last whole.
create table reconciliation (
    only_row boolean primary key default true constraint reconciliation_only_row check (only_row),
    walked_to uuid not null default '00000000-0000-0000-0000-000000000000',
    ended_at timestamptz
);
insert into reconciliation default values;
