insert into request (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind, category, requester_kind,
                     requester_id, requester_name, summary, detail, urgency, received_at)
select id, 'https://bench.example', 'old-' || number, decode(md5(number::text), 'hex'), upper(regexp_replace(left(md5(id::text), 24), '(.{6})(.{6})(.{6})', '\1-\2-\3-')), 'https://bench.example',
       'web', 'help', category, 'enterprise', uscc, firm_name, summary, 'As it was put at the time.', 'normal', at
from bench.cast order by number;

insert into event (id, subject, version, type, topic, at, data)
select uuidv7(at - now()), id::text, 1, 'liaison.request.registered.v1', 'liaison.requests', at,
       format('{"actor": {"role": "system", "party": "https://bench.example"}, "matter_id": "%s", "summary": "%s"}', id, summary)::json
from bench.cast order by number;

insert into progress (request_id, state, round, owner_id, owner_name, offered_id, lead_department, next_due_at, outcome, answer, changed_at)
select id, state, 1, liaison, liaison, liaison, department, case when open then due end,
       case when not open then 'resolved' end, case when not open then 'Done.' end, at
from bench.cast order by number;

insert into timeline (request_id, version, type, at)
select id, version, type, at
from bench.cast cross join (values (1, 'matter.opened'), (2, 'matter.closed')) as step (version, type)
where not open or version = 1;

insert into inbox (event_id, topic, partition, "offset")
select uuidv7(at - now()), 'liaison.matters', number % 12, number * 2 + version
from bench.cast cross join generate_series(1, 2) as version;

insert into seen (subject, topic, version)
select id::text, 'liaison.matters', 2 from bench.cast order by number;
