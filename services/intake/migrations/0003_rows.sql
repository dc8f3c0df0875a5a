-- A new request as one value: an array of these costs a writer a third of an array for each column.
create type new_request as (
    id uuid,
    source text,
    source_ref text,
    fingerprint bytea,
    receipt text,
    submitted_by text,
    channel text,
    kind text,
    category text,
    requester_kind text,
    requester_id text,
    requester_name text,
    contact_name text,
    contact_phone text,
    summary text,
    detail text,
    location text,
    urgency text,
    occurred_at timestamptz,
    received_at timestamptz,
    attachments json
);
