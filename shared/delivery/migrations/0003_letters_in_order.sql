-- What is asked of letters every few seconds, and what an operator lists, without reading those that are settled.
create index dead_letter_fates on dead_letter (fate, first_failed_at) where state = 'waiting';
create index dead_letter_waiting_age on dead_letter (first_failed_at, id) where state = 'waiting';
create index dead_letter_age on dead_letter (first_failed_at, id);
