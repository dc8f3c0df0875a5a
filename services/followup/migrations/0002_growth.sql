-- What keeps a question's cost from following how much has ended.

-- Closed matters are found by their state too: the newest of all may be open for pages on end.
drop index matter_by_state;
create index matter_by_state on matter (state, id);

-- From a matter to its steps on the wall: a liaison's chart is read off the few matters that are theirs.
create index milestone_of_matter on milestone (matter_id) where live and state in ('planned', 'in_progress');

-- Each week has terms of its own, so that a page of what was found comes without sorting all that was ever found. The
-- week is the one in which the id was drawn: its first 48 bits are milliseconds.
drop index request_terms;
update request set terms = coalesce((
    select array_agg(
        lpad(to_hex(('x' || left(replace(matter_id::text, '-', ''), 12))::bit(48)::bigint / 604800000), 4, '0') || term)
    from unnest(terms) as term), '{}');
create index request_terms on request using gin (terms) with (gin_pending_list_limit = 512);
