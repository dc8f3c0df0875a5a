-- A new event as one value: an array of these costs a writer a third of an array for each column.
create type new_event as (
    id uuid,
    subject text,
    version integer,
    type text,
    topic text,
    at timestamptz,
    causation_id uuid,
    traceparent text,
    data json
);
