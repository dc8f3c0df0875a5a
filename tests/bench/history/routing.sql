insert into matter (id, round, attempt, version, standing, offer_id, owner_id, due_at, requester_kind, requester_id,
                    requester_name, kind, category, urgency, summary, detail, received_at, park, tier, dispatched)
select id, 1, 1, 2, case state when 'closed' then 'ended' when 'offered' then 'offered' else 'taken' end,
       case when open then offer_id end, case when state <> 'offered' then liaison end,
       case when state = 'offered' then due end, 'enterprise', uscc, firm_name, 'help', category,
       'normal', summary, 'As it was put at the time.', at, park, 'general',
       json_build_object('catalogue_version', 1, 'rule_id', 'R001', 'category', category, 'lead_department', department,
                         'co_departments', json_build_array(), 'urgency', 'normal', 'difficulty', 'simple',
                         'accept_minutes', 120, 'handle_days', 5)
from bench.cast order by number;

insert into offer (id, matter_id, round, attempt, party, candidacy, cause, catalogue_version, rule_id, considered,
                   received_at, offered_at, expires_at, calendar_version, state, holding, ended_at)
select offer_id, id, 1, 1, liaison, 'primary', 'registered', 1, 'R001',
       json_build_array(json_build_array(liaison, 'liaison', liaison, 'primary', 'taken', null)),
       at, at, due, 'bench', case when state = 'offered' then 'offered' else 'accepted' end, open,
       case when state <> 'offered' then at end
from bench.cast order by number;

insert into event (id, subject, version, type, topic, at, data)
select uuidv7(at - now()), id::text, version, type, 'liaison.assignments', at,
       format('{"actor": {"role": "liaison", "party": "%s"}, "matter_id": "%s", "offer_id": "%s", "round": 1}', liaison, id, offer_id)::json
from bench.cast cross join (values (1, 'liaison.offer.made.v1'), (2, 'liaison.offer.accepted.v1')) as step (version, type)
where state <> 'offered' or version = 1;

insert into inbox (event_id, topic, partition, "offset")
select uuidv7(at - now()), 'liaison.matters', number % 12, number * 2 + version
from bench.cast cross join generate_series(1, 2) as version;

insert into seen (subject, topic, version)
select id::text, topic, case topic when 'liaison.requests' then 1 else 2 end
from bench.cast cross join (values ('liaison.matters'), ('liaison.requests')) as followed (topic);

insert into feed (party, position, kind, offer_id, at)
select liaison, row_number() over (partition by liaison order by number), 'offered', offer_id, at
from bench.cast where state = 'offered';

update queue set load = held.load, position = held.told
from (select liaison, count(*) as load, count(*) filter (where state = 'offered') as told
      from bench.cast where open group by liaison) as held
where queue.party = held.liaison;
