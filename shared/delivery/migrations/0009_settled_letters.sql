-- An erasure looks for the letters of a subject that were settled, and for those of nobody known: each by its subject, none
-- by reading every letter there ever was.
create index dead_letter_settled on dead_letter (subject) where state <> 'waiting';
