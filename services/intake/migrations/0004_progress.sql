-- What a receipt shows is the whole state after the last event. Before, a field that had ended stayed as it was.
alter table progress
    add column refused_by text[] not null default '{}',
    add column merged_into uuid,
    add column rejected_because text,
    add column lawful_channel text,
    add column reopen_until timestamptz;

-- Matters that are shown wrongly are learned again from the first version: followup's 0005_progress.sql sends the
-- histories of at least these. Until they have come, their receipts say received.
create temporary table relearned on commit drop as
select distinct request_id from timeline
where type in ('matter.waiting', 'matter.returned', 'matter.rejected', 'matter.merged', 'matter.reopened');

delete from inbox where topic = 'liaison.matters' and exists (select from relearned);
delete from seen using relearned where topic = 'liaison.matters' and subject = request_id::text;
delete from dead_letter using relearned
where topic = 'liaison.matters' and state = 'waiting' and fate in ('early', 'gap') and subject = request_id::text;
delete from progress using relearned where progress.request_id = relearned.request_id;
delete from timeline using relearned where timeline.request_id = relearned.request_id;
