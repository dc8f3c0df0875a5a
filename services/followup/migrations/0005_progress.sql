-- Intake learns these matters again from their first version (its 0004_progress.sql).
insert into outbox (seq)
select event.seq from event
where event.subject in (
    select subject from event
    where type in ('liaison.matter.waiting.v1', 'liaison.matter.returned.v1', 'liaison.matter.rejected.v1',
                   'liaison.matter.merged.v1', 'liaison.matter.reopened.v1'))
on conflict do nothing;
