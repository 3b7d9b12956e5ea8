-- +goose Up
-- What a feature says about a message of its own kind; JSON, or empty.
ALTER TABLE messages ADD COLUMN detail TEXT NOT NULL DEFAULT '';

CREATE TABLE calls (
    id              TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    caller_id       TEXT NOT NULL REFERENCES users (id),
    medium          TEXT NOT NULL,
    status          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    answered_at     BIGINT,
    ended_at        BIGINT,
    ended_by        TEXT NOT NULL
);
CREATE INDEX calls_consultation ON calls (consultation_id);
-- One call per consultation at a time.
CREATE UNIQUE INDEX calls_live ON calls (consultation_id) WHERE status IN ('ringing', 'active');

CREATE TABLE call_members (
    call_id    TEXT NOT NULL REFERENCES calls (id),
    user_id    TEXT NOT NULL REFERENCES users (id),
    place      BIGINT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    status     TEXT NOT NULL,
    ring_until BIGINT,
    device_id  TEXT NOT NULL,
    joined_at  BIGINT,
    left_at    BIGINT,
    seen_at    BIGINT,
    PRIMARY KEY (call_id, user_id)
);
CREATE INDEX call_members_joined ON call_members (user_id) WHERE status = 'joined';
