-- What liaison.directory was last told of each entry. An entry without a row is published by a timer: those that were
-- entered before there was the topic.
create table published_entry (
    subject text primary key,
    version integer not null,
    data jsonb not null
);
