-- The history is append-only, and shows when it was changed in spite of that.

-- What was erased of a subject's history and rows, when, by whom and why; nothing of what it was.
create table erasure (
    id uuid primary key,
    subject text not null,
    at timestamptz not null,
    erased_by text not null,
    because text not null,
    erased json not null
);
create index erasure_subject on erasure (subject);

-- The events whose data were erased: the SHA-256 of what was recorded, by which the chain still fits, and of what is left.
create table erased_event (
    seq bigint primary key,
    erasure uuid not null references erasure,
    was_sha256 bytea not null,
    is_sha256 bytea not null
);
create index erased_event_erasure on erased_event (erasure, seq);

-- A chain of digests, each of the one before and of what its link holds: events in the order of their numbers, or one
-- erasure. `marks` are the first 8 bytes of each event's own digest: they name the one that differs.
create table seal (
    number bigint primary key,
    first_seq bigint not null,
    last_seq bigint not null,
    count integer not null,
    erasure uuid references erasure,
    marks bytea not null,
    previous bytea not null,
    digest bytea not null,
    sealed_at timestamptz not null default now(),
    constraint seal_range check (first_seq <= last_seq + 1)
);
create index seal_erasure on seal (erasure) where erasure is not null;

-- An owner can do everything, this off first; what was changed then, the chain shows. An erasure changes data alone, of
-- events that it names, and a restore may begin by emptying what is empty.
create function keep_history() returns trigger language plpgsql set search_path from current as $$
declare
    filled boolean;
begin
    if tg_op = 'TRUNCATE' then
        execute format('select exists (select from %I)', tg_table_name) into filled;
        if not filled then
            return null;
        end if;
    elsif tg_op = 'UPDATE' and tg_table_name = 'event' then
        if (new.seq, new.id, new.subject, new.version, new.type, new.topic, new.at, new.causation_id, new.traceparent)
           is not distinct from
           (old.seq, old.id, old.subject, old.version, old.type, old.topic, old.at, old.causation_id, old.traceparent)
           and exists (
               select from erased_event
               where erased_event.seq = old.seq
                 and erased_event.erasure::text = current_setting('liaison.erasure', true)
                 and erased_event.is_sha256 = sha256(convert_to(new.data::text, 'UTF8')))
        then
            return new;
        end if;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;

create trigger event_kept before update or delete on event for each row execute function keep_history();
create trigger event_not_emptied before truncate on event for each statement execute function keep_history();
create trigger seal_kept before update or delete on seal for each row execute function keep_history();
create trigger seal_not_emptied before truncate on seal for each statement execute function keep_history();
create trigger erasure_kept before update or delete on erasure for each row execute function keep_history();
create trigger erasure_not_emptied before truncate on erasure for each statement execute function keep_history();
create trigger erased_event_kept before update or delete on erased_event
    for each row execute function keep_history();
create trigger erased_event_not_emptied before truncate on erased_event
    for each statement execute function keep_history();
