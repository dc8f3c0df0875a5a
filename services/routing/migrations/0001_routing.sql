-- The directory: who there is, who is tied to whom, and who is away.

-- Everybody who can be offered a matter; one id means one party, whatever its kind.
create table party (
    id text primary key,
    kind text not null constraint party_kind check (kind in ('liaison', 'department', 'desk')),
    name text not null
);

create table department (
    id text primary key references party,
    phone_desk text
);

create table liaison (
    id text primary key references party,
    department_id text not null constraint liaison_in_department references department,
    capacity integer not null constraint liaison_capacity check (capacity >= 0)
);
create index liaison_department on liaison (department_id);

create table enterprise (
    uscc text primary key,
    name text not null,
    park text,
    industry text,
    tier text not null constraint enterprise_tier check (tier in ('key', 'large', 'general'))
);
create index enterprise_park on enterprise (park, uscc);

-- Both dates are included; no `until_on` means until further notice. That the primaries of one enterprise do not
-- overlap is checked under the lock of its row: an exclusion constraint would need the extension btree_gist.
create table tie (
    id text primary key,
    uscc text not null constraint tie_of_enterprise references enterprise,
    liaison_id text not null constraint tie_of_liaison references liaison,
    role text not null constraint tie_role check (role in ('primary', 'deputy')),
    from_on date not null,
    until_on date,
    reason text not null,
    version integer not null default 1,
    constraint tie_dates check (until_on >= from_on)
);
create unique index tie_one_open_primary on tie (uscc) where role = 'primary' and until_on is null;
create index tie_enterprise on tie (uscc, from_on);
create index tie_liaison on tie (liaison_id, id);

-- From `from_at` up to but not at `until_at`. `begun` says that the open offers of that liaison were passed on.
create table absence (
    liaison_id text not null constraint absence_of_liaison references liaison,
    id text not null,
    from_at timestamptz not null,
    until_at timestamptz,
    deputy_id text constraint absence_deputy references liaison,
    begun boolean not null default false,
    primary key (liaison_id, id),
    constraint absence_dates check (until_at > from_at),
    constraint absence_deputy_is_another check (deputy_id <> liaison_id)
);
create index absence_current on absence ((coalesce(until_at, timestamptz 'infinity')));
create index absence_to_begin on absence (from_at) where not begun;

-- A party's queue: how far its feed has come, and how many matters it holds (offered and accepted).
-- The row's lock makes positions visible in order and keeps a capacity from being given away twice. Rows are
-- always locked in the order (is_desk, party): liaisons before the choice, desks only when it is written.
create table queue (
    party text primary key references party,
    is_desk boolean not null,
    position bigint not null default 0,
    load integer not null default 0 constraint queue_load check (load >= 0)
) with (fillfactor = 50);

-- What happened in a queue, for those who watch it; kept for a week.
create table feed (
    party text not null,
    position bigint not null,
    kind text not null constraint feed_kind check (kind in ('offered', 'ended')),
    offer_id uuid not null,
    how text constraint feed_how
        check (how in ('accepted', 'declined', 'timed_out', 'rescinded')),
    at timestamptz not null,
    primary key (party, position)
);
create index feed_age on feed (at);

-- A matter as far as routing is concerned; its row is locked before anything of it changes.
-- `due_at` is the next moment at which routing must act: an offer runs out, or an objection's review does.
create table matter (
    id uuid primary key,
    round integer not null,
    attempt integer not null,
    version integer not null,
    standing text not null constraint matter_standing
        check (standing in ('offered', 'taken', 'waiting', 'ended')),
    offer_id uuid,
    owner_id text,
    due_at timestamptz,
    requester_kind text not null,
    requester_id text not null,
    requester_name text not null,
    kind text not null,
    category text,
    urgency text not null,
    summary text not null,
    detail text not null,
    received_at timestamptz not null,
    park text,
    tier text,
    dispatched json not null,
    constraint matter_never_forgotten check ((standing in ('offered', 'waiting')) = (due_at is not null)),
    constraint matter_offer check ((standing in ('offered', 'taken')) = (offer_id is not null))
) with (fillfactor = 80);
create index matter_due on matter (due_at) where due_at is not null;

-- Every offer ever made and every candidate that was looked at for it. Its matter is inserted in the same
-- transaction and never deleted, so that a foreign key would only cost a lock on each insert.
create table offer (
    id uuid primary key,
    matter_id uuid not null,
    round integer not null,
    attempt integer not null,
    party text not null,
    candidacy text not null,
    cause text not null,
    catalogue_version integer,
    rule_id text,
    considered json not null,
    received_at timestamptz not null,
    offered_at timestamptz not null,
    expires_at timestamptz not null,
    calendar_version text not null,
    state text not null constraint offer_state
        check (state in ('offered', 'accepted', 'declined', 'timed_out', 'rescinded')),
    holding boolean not null,
    ended_at timestamptz,
    reason text,
    suggested_owner text,
    note text,
    constraint offer_attempt unique (matter_id, round, attempt),
    constraint offer_open_holds check (state <> 'offered' or holding),
    constraint offer_only_taken_holds check (not holding or state in ('offered', 'accepted'))
) with (fillfactor = 85);
create unique index offer_one_holding on offer (matter_id) where holding;
create index offer_queue on offer (party, state, received_at, id) where holding;

create table objection (
    id uuid primary key,
    matter_id uuid not null references matter,
    offer_id uuid not null references offer,
    round integer not null,
    raised_by text not null references party,
    suggested_owner text not null references party,
    reason_code text not null,
    note text,
    raised_at timestamptz not null,
    review_at timestamptz not null,
    state text not null default 'open' constraint objection_state
        check (state in ('open', 'upheld', 'overruled', 'lapsed', 'moot')),
    settled_at timestamptz,
    ruled_by text,
    ruling_note text,
    constraint objection_once_a_round unique (matter_id, round, raised_by)
);
create unique index objection_one_open on objection (matter_id) where state = 'open';
create index objection_review on objection (review_at, id) where state = 'open';
create index objection_state on objection (state, review_at, id);

-- The dispatch catalogue as its authors wrote it; it is compiled when it is loaded.
create table catalogue_version (
    version integer primary key,
    state text not null default 'draft' constraint catalogue_state
        check (state in ('draft', 'active', 'retired')),
    source text not null,
    rules integer not null,
    warnings json not null,
    created_at timestamptz not null,
    created_by text not null,
    activated_at timestamptz,
    activated_by text
);
create unique index catalogue_one_active on catalogue_version (state) where state = 'active';

-- Never nobody: the town's fallback desk is there before anything else.
insert into party (id, kind, name) values ('DESK', 'desk', '镇级兜底受理台');
insert into queue (party, is_desk) values ('DESK', true);
