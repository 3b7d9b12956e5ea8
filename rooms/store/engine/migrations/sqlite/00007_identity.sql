-- +goose Up
ALTER TABLE users ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
-- When whoever has the session last proved who they are.
ALTER TABLE sessions ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at > 0;

-- When the token was used, 0 if it was not. The 1 of before is long ago.
ALTER TABLE refresh_tokens RENAME COLUMN used TO used_at;

-- Which keys sign access tokens. The keys themselves are derived from these
-- names and a secret that is not in the database.
CREATE TABLE signing_keys (
    id         TEXT PRIMARY KEY,
    signs_from INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL -- 0 while no newer key has taken over
) WITHOUT ROWID;

-- What can be done once with a secret that someone was given: links in mails,
-- logins that wait for a provider or a passkey.
CREATE TABLE tickets (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    user_id    TEXT NOT NULL, -- empty when it is nobody's yet
    data       TEXT NOT NULL, -- JSON
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tickets_user ON tickets (user_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE totp (
    user_id      TEXT PRIMARY KEY REFERENCES users (id),
    secret       BLOB NOT NULL, -- sealed
    confirmed_at INTEGER NOT NULL, -- 0 until the first code was right
    last_step    INTEGER NOT NULL -- the period of the last code, which is not taken again
) WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    hash    BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;

CREATE TABLE passkeys (
    id           TEXT PRIMARY KEY, -- of the credential, base64url
    user_id      TEXT NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    credential   TEXT NOT NULL, -- JSON
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX passkeys_user ON passkeys (user_id);

-- Who someone is at an OpenID provider.
CREATE TABLE identities (
    id        TEXT PRIMARY KEY,
    user_id   TEXT NOT NULL REFERENCES users (id),
    provider  TEXT NOT NULL,
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    email     TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user_id);

-- Sessions that began at a provider, for logging out on both sides.
CREATE TABLE provider_sessions (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id),
    provider   TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    sid        TEXT NOT NULL, -- the provider's name of the session
    id_token   BLOB NOT NULL -- sealed
) WITHOUT ROWID;
CREATE INDEX provider_sessions_subject ON provider_sessions (issuer, subject);
