-- The parties of the directory, as routing publishes them: steps name departments that are there. It is empty until the
-- directory has been heard.
create table party (
    id text primary key,
    kind text not null constraint party_kind check (kind in ('liaison', 'department')),
    name text not null
);
