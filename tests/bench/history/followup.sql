-- Never changed again but for the few that are open, so that room for it would be room for nothing.
alter table matter set (fillfactor = 100);

insert into matter (id, version, state, round, category, park, owner_id, visit_state, next_due_at, act_at, breached, body)
select id, template.version, state, 1, category, park,
       case when state <> 'offered' then liaison end,
       case state when 'closed' then 'done' when 'handled' then 'due' end,
       case when open then due end, case when open then due end, false,
       format(template.body, id, uscc, at_text, liaison, department, category, park, due_text, offer_id)::json
from bench.cast join bench.template using (state) order by number;

insert into request (matter_id, source, source_ref, channel, kind, category, requester_kind, requester_id, requester_name,
                     summary, detail, urgency, received_at, attachments, terms, folded)
select id, 'https://bench.example', 'old-' || number, 'web', 'help', category, 'enterprise', uscc, firm_name, summary,
       'As it was put at the time.', 'normal', at, '[]',
       string_to_array(week || replace(terms, ' ', ' ' || week), ' '), lower(replace(summary, ' ', ''))
from bench.cast order by number;

insert into spelling (folded, name)
select distinct lower(replace(name, ' ', '')), name
from (select 'park:' || park as name from bench.cast union all
      select 'category:' || category from bench.cast union all
      select 'category:' || split_part(category, '/', 1) from bench.cast) as written;

insert into listing (name, open, matter_id)
select name, open, id
from (select 'party:' || liaison as name, open, id from bench.cast union all
      select 'party:' || department, open, id from bench.cast union all
      select 'requester:' || uscc, open, id from bench.cast union all
      select 'park:' || park, open, id from bench.cast union all
      select 'category:' || category, open, id from bench.cast union all
      select 'category:' || split_part(category, '/', 1), open, id from bench.cast where strpos(category, '/') > 0) as listed
order by name, open, id;

insert into milestone (id, matter_id, live, title, owner_department, state, due_at, original_due_at, required)
select gen_random_uuid(), id, open, 'Survey', department, case when open then 'planned' else 'done' end, due, due, true
from bench.cast where number % 4 < case when open then 2 else 1 end;

insert into tally (what, at, matter_id, round, park, department, liaison, category, kind, channel, seconds, on_time, instant,
                   exempted, reached, answered, solved, satisfaction)
select what, at, id, 1, park, department, liaison, category, 'help', 'web', (number * 7919::bigint % 500000)::int,
       case when what = 'handled' then number % 20 > 0 end, case when what = 'handled' then number % 3 = 0 end,
       case when what = 'closed' then false end, case when what = 'visited' then true end,
       case when what = 'visited' then number % 30 > 0 end, case when what = 'visited' then number % 12 > 0 end,
       case when what = 'visited' then 1 + number % 5 end
from bench.cast cross join (values ('taken'), ('contacted'), ('handled'), ('visited'), ('closed')) as counted (what)
where not open or what = 'taken' and state <> 'offered';

insert into event (id, subject, version, type, topic, at, data)
select uuidv7(at - now()), id::text, step.version, 'liaison.matter.' || type || '.v1', 'liaison.matters', at,
       format(data, id, uscc, at_text, liaison, department, category, park, due_text, offer_id)::json
from bench.cast join bench.step using (state);

insert into inbox (event_id, topic, partition, "offset")
select uuidv7(at - now()), case version when 1 then 'liaison.requests' else 'liaison.assignments' end, c.number % 12, c.number * 3 + version
from bench.cast as c cross join generate_series(1, 2) as version;

insert into seen (subject, topic, version)
select id::text, topic, case when topic = 'liaison.requests' or state = 'offered' then 1 else 2 end
from bench.cast cross join (values ('liaison.assignments'), ('liaison.requests')) as followed (topic);

alter table matter set (fillfactor = 70);
