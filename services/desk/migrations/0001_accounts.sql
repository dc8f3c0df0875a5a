-- People who sign in with a password. `login_key` is the login as it is compared: folded, without case.
create table account (
    id uuid primary key,
    login text not null,
    login_key text not null unique,
    name text not null,
    role text not null,
    party text not null,
    password text,
    totp_secret text,
    totp_pending text,
    totp_step bigint not null default 0,
    failures integer not null default 0,
    locked_until timestamptz,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    disabled_at timestamptz
);

-- One signed-in browser. The cookie holds a random token, this table its SHA-256.
create table session (
    digest bytea primary key,
    id uuid not null unique,
    account_id uuid references account,
    token_sha256 text,
    role text not null,
    party text not null,
    name text not null,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index session_of_account on session (account_id, created_at);
create index session_of_party on session (role, party, created_at);
create index session_by_end on session (expires_at);

-- A link that signs in once. Used ones stay until they expire, so that a second use can be told from a wrong one.
create table sign_in_link (
    digest bytea primary key,
    role text not null,
    party text not null,
    name text not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index sign_in_link_by_end on sign_in_link (expires_at);

-- A sign-in whose password was right and whose second factor is still to come.
create table pending_sign_in (
    digest bytea primary key,
    account_id uuid not null references account,
    expires_at timestamptz not null
);
create index pending_sign_in_by_end on pending_sign_in (expires_at);
create index pending_sign_in_of_account on pending_sign_in (account_id);
