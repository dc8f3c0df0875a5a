-- Tickets for streams whose reader cannot send a header: each by its SHA-256, with the bearer token that it stands for,
-- encrypted under the ticket itself. They go when they are used, and when they have expired.
create table stream_ticket (
    digest bytea primary key,
    path text not null,
    token text not null,
    expires_at timestamptz not null
);
create index stream_ticket_expired on stream_ticket (expires_at);
