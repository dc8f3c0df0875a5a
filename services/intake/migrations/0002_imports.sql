-- Files of submissions. A row keeps what was written in it only as long as somebody may have to mend it.
create table import (
    id uuid primary key,
    role text not null,
    party text not null,
    digest bytea not null,
    header json not null,
    created_at timestamptz not null,
    constraint import_file unique (party, digest)
);
create index import_created on import (created_at);

create table import_row (
    import_id uuid not null references import on delete cascade,
    number integer not null,
    cells json,
    submission json,
    outcome text not null constraint import_row_outcome
        check (outcome in ('pending', 'taken', 'repeated', 'conflicting', 'faulty')),
    request_id uuid,
    errors json not null default '[]',
    primary key (import_id, number),
    constraint import_row_has_what_it_needs check (outcome <> 'pending' or submission is not null)
) with (fillfactor = 80);
create index import_row_pending on import_row (import_id, number) where outcome = 'pending';
