-- Processed ids are forgotten by their age.
create index inbox_at on inbox (at);
