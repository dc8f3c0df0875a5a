-- Matters whose rows routing makes anew from its own offers, because the reconciliation found that they are wrong:
-- `version`, `state` and `round` are the matter's as followup recorded them.
create table correction (
    matter_id uuid primary key,
    version integer not null,
    state text not null,
    round integer not null,
    ordered_at timestamptz not null default now()
);
