-- What is asked of one party's few hundred open matters is read off indexes alone: their rows lie anywhere in the table,
-- among all that has ended. Open by its state, so that a question in the order of promises never goes by this one.

create index matter_open on matter (id) include (next_due_at, state, owner_id, category, park)
    where state not in ('closed', 'merged', 'rejected', 'withdrawn');

drop index milestone_of_matter;
create index milestone_of_matter on milestone (matter_id, due_at, id) include (owner_department)
    where live and state in ('planned', 'in_progress');
