"""Thirty thousand matters, most of which have ended, to ask about."""

# Ended matters in a town of 40 parties and 100 categories; every hundredth is open, every 500th charted.
FILL = """
with town as (
    select number, uuidv7(make_interval(mins => (number - 30000) * 30)) as id, number % 100 = 0 as open
    from generate_series(1, 30000) as number
), filled as (
    insert into matter (id, version, state, round, category, park, owner_id, visit_state, next_due_at,
                        act_at, breached, body)
    select id, 6, case when open then 'in_progress' else 'closed' end, 1,
           'c' || number % 10 || '/d' || number % 100, 'park' || number % 5, 'L' || number % 40,
           case when open then null else 'done' end,
           case when open then now() + make_interval(mins => number) end,
           case when open then now() + make_interval(mins => number) end, false, '{}'
    from town
), asked as (
    insert into request (matter_id, source, source_ref, channel, kind, requester_kind, requester_id,
                         requester_name, summary, detail, urgency, received_at, attachments, terms)
    select id, 's', number, 'web', 'ask', 'enterprise', 'firm' || number % 300, 'n',
           'road ' || number || case when number % 3000 = 1 then ' xy' else '' end,
           'd', 'normal', now(), '[]',
           array(select lpad(to_hex(extract(epoch from uuid_extract_timestamp(id))::bigint / 604800), 4, '0') || term
                 from unnest(array['ro', 'oa', 'ad'] || case when number % 3000 = 1 then array['xy'] end) as term)
    from town
), told as (
    insert into event (id, subject, version, type, topic, at, data)
    select uuidv7(), id, version, 'liaison.matter.taken.v1', 'liaison.matters', now(), '{}'
    from town cross join generate_series(1, 2) as version
), charted as (
    insert into milestone (id, matter_id, live, title, owner_department, state, due_at,
                           original_due_at, required)
    select uuidv7(), id, open, 't', 'D' || number % 12, case when open then 'planned' else 'done' end,
           now() + make_interval(mins => number), now(), true
    from town cross join generate_series(1, 10) where number % 100 = 0 or number % 2000 = 1
)
insert into listing (name, open, matter_id)
select name, open, id
from town, unnest(array['party:L' || number % 40, 'requester:firm' || number % 300,
                        'category:c' || number % 10]) as name"""
