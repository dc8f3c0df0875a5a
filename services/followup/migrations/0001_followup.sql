-- What followup keeps: each matter as one row, and what its lists, its wall chart and its rates are read from.

-- One row is one matter at one version: `body` is the whole of it, and what is searched, sorted or
-- guarded stands beside it. The row is locked before its event is recorded.
create table matter (
    id uuid primary key,
    version integer not null constraint matter_version_positive check (version > 0),
    state text not null constraint matter_state_known check (state in (
        'received', 'awaiting_dispatch', 'offered', 'in_progress', 'on_hold', 'shelved', 'handled',
        'closed', 'merged', 'rejected', 'withdrawn')),
    round integer not null constraint matter_round_positive check (round > 0),
    category text,
    park text,
    owner_id text,
    visit_state text,
    exemption text,
    merged_into uuid,
    joint_id uuid,
    -- The earliest promise not yet kept, and when a clock has to be looked at next.
    next_due_at timestamptz,
    act_at timestamptz,
    breached boolean not null,
    body json not null,
    constraint matter_open_promises
        check ((state in ('closed', 'merged', 'rejected', 'withdrawn')) = (next_due_at is null)),
    constraint matter_closed_is_answered
        check (state <> 'closed' or visit_state is not distinct from 'done' or exemption is not null),
    constraint matter_work_has_owner
        check (state not in ('in_progress', 'on_hold', 'shelved', 'handled', 'closed')
               or owner_id is not null),
    constraint matter_merged_somewhere check ((state = 'merged') = (merged_into is not null))
) with (fillfactor = 70);

-- The sweep's only way in: its cost follows what is due, not what is open.
create index matter_due on matter (act_at) where act_at is not null;
create index matter_promised on matter (next_due_at, id) where next_due_at is not null;
-- Most matters are closed: those are found by their id, newest first.
create index matter_by_state on matter (state, id) where state <> 'closed';
create index matter_merged on matter (merged_into) where merged_into is not null;
create index matter_joint on matter (joint_id) where joint_id is not null;

-- The request that opened the matter, as it came; never changed. `terms` are the pairs of characters of its summary.
create table request (
    matter_id uuid primary key,
    source text not null,
    source_ref text not null,
    channel text not null,
    kind text not null,
    category text,
    requester_kind text not null,
    requester_id text not null,
    requester_name text not null,
    summary text not null,
    detail text not null,
    location text,
    urgency text not null,
    occurred_at timestamptz,
    received_at timestamptz not null,
    attachments json not null,
    terms text[] not null
);
create index request_terms on request using gin (terms);

-- Where a matter is listed: under each party that may see it, its requester, its park, each step of its category.
-- One way for every list, newest first, and open matters apart from those that have ended.
create table listing (
    name text not null,
    open boolean not null,
    matter_id uuid not null,
    primary key (name, open, matter_id)
);

-- The wall chart; `live` while its matter is open.
create table milestone (
    id uuid primary key,
    matter_id uuid not null,
    live boolean not null,
    title text not null,
    owner_department text not null,
    state text not null constraint milestone_state_known
        check (state in ('planned', 'in_progress', 'done', 'waived')),
    due_at timestamptz not null,
    original_due_at timestamptz not null,
    required boolean not null,
    evidence text,
    blocker text
);
create index milestone_chart on milestone (due_at, id) where live and state in ('planned', 'in_progress');
create index milestone_of_department on milestone (owner_department, due_at, id)
    where live and state in ('planned', 'in_progress');

-- What the rates count, one row for each thing that happened; never changed.
create table tally (
    what text not null,
    at timestamptz not null,
    matter_id uuid not null,
    round integer not null,
    park text,
    department text,
    liaison text,
    category text,
    kind text not null,
    channel text not null,
    seconds integer,
    on_time boolean,
    instant boolean,
    exempted boolean,
    reached boolean,
    answered boolean,
    solved boolean,
    satisfaction smallint
);
create index tally_period on tally (what, at);

-- The filters that every list has in common; a null asks for nothing. Plain enough to be inlined where it is called.
create function fits(
    matter_state text, matter_owner text, matter_category text, matter_park text,
    state text, owner text, category text, park text
) returns boolean language sql immutable parallel safe
return (state is null or matter_state = state)
   and (owner is null or matter_owner = owner)
   and (category is null or matter_category = category or starts_with(matter_category, category || '/'))
   and (park is null or matter_park = park);
