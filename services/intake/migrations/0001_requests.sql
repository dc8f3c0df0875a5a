-- What arrived, as it arrived. The only place where a contact is kept.
create table request (
    id uuid primary key,
    source text not null,
    source_ref text not null,
    fingerprint bytea not null,
    receipt text not null constraint request_receipt unique,
    submitted_by text not null,
    channel text not null,
    kind text not null,
    category text,
    requester_kind text not null,
    requester_id text not null,
    requester_name text not null,
    contact_name text,
    contact_phone text,
    summary text not null,
    detail text not null,
    location text,
    urgency text not null,
    occurred_at timestamptz,
    received_at timestamptz not null,
    attachments json not null default '[]',
    -- How many events intake has recorded of it.
    version integer not null default 1,
    constraint request_source unique (source, source_ref)
);

-- What the holder of the receipt may know of the matter, learned from followup's events.
create table progress (
    request_id uuid primary key,
    state text not null,
    round integer not null,
    owner_id text,
    owner_name text,
    offered_id text,
    lead_department text,
    next_due_at timestamptz,
    outcome text,
    answer text,
    changed_at timestamptz not null
);

create table timeline (
    request_id uuid not null,
    version integer not null,
    type text not null,
    at timestamptz not null,
    words text,
    primary key (request_id, version)
);
