-- A seal covers all of an event and of itself: `whole` is a second digest over the one before it, over the seal's own
-- columns, and over number, topic and trace of its events; `places` are the first 8 bytes of each event's digest in it.
-- Seals of earlier versions have neither, and are verified by what they covered.
alter table seal add column whole bytea;
alter table seal add column places bytea;
