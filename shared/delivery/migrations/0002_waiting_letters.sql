-- Where an operator has let a subject go on without one of its versions.
create index dead_letter_discarded on dead_letter (subject, topic, version) where state = 'discarded';

-- The subjects that the sweep looks at: two consumers can each be right that the other has not come yet.
create index seen_held on seen (subject, topic) where held;
