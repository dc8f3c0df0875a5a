-- What the rates count is append-only and sealed like the history: numbers in the order of writing, a chain of digests.
alter table tally add column seq bigint generated always as identity;
create unique index tally_seq on tally (seq);

create table tally_seal (
    number bigint primary key,
    first_seq bigint not null,
    last_seq bigint not null,
    count integer not null,
    previous bytea not null,
    digest bytea not null,
    sealed_at timestamptz not null
);

create trigger tally_kept before update or delete on tally for each row execute function keep_history();
create trigger tally_not_emptied before truncate on tally for each statement execute function keep_history();
create trigger tally_seal_kept before update or delete on tally_seal for each row execute function keep_history();
create trigger tally_seal_not_emptied before truncate on tally_seal
    for each statement execute function keep_history();
