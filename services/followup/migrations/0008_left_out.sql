-- What ended without a visit of its own is named in the rates: of what happened so far, out of the history.
insert into tally (what, at, matter_id, round, park, department, liaison, category, kind, channel)
select split_part(event.type, '.', 3), event.at, matter.id, (event.data ->> 'round')::int, matter.park,
       matter.body #>> '{dispatch,lead_department}',
       case 'liaison' when matter.body #>> '{owner,kind}' then matter.body #>> '{owner,id}'
                      when matter.body #>> '{last_owner,kind}' then matter.body #>> '{last_owner,id}' end,
       matter.category, matter.body ->> 'kind', matter.body ->> 'channel'
from event join matter on matter.id::text = event.subject
where event.type in ('liaison.matter.merged.v1', 'liaison.matter.unmerged.v1',
                     'liaison.matter.withdrawn.v1', 'liaison.matter.rejected.v1')
order by event.seq;
