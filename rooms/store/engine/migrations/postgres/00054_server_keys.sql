-- +goose Up
-- The keys that servers of this database use or have used, by which a lost or
-- another one is noticed. id is a fingerprint; public is the public key (base64)
-- of a key that signs, with which what it signed can be verified ever after.
CREATE TABLE server_keys (
    kind       TEXT NOT NULL, -- seal, account, token, folder
    id         TEXT NOT NULL,
    public     TEXT NOT NULL DEFAULT '',
    since      BIGINT NOT NULL,
    retired_at BIGINT, -- NULL while it is in use
    PRIMARY KEY (kind, id)
);

-- The nodes that run, and what all of them must have in common.
CREATE TABLE nodes (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    shared   TEXT NOT NULL, -- JSON: the value, or the fingerprint of a key, by setting
    since    BIGINT NOT NULL,
    beats    BIGINT NOT NULL DEFAULT 0,
    seen_at  BIGINT NOT NULL
);
