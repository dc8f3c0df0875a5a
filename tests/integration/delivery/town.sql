-- What the kit's tests do with events: every application leaves a row, and no key hides a second one.
create table effect (
    place bigint generated always as identity,
    event_id uuid not null,
    topic text not null,
    subject text not null,
    version integer not null,
    words text
);
create table known (
    subject text primary key
);
