-- +goose Up
ALTER TABLE users ADD COLUMN erased_at BIGINT; -- when its owner had the account erased

-- Whose data stays whatever they or the clocks say.
CREATE TABLE legal_holds (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    reason  TEXT NOT NULL,
    by_id   TEXT NOT NULL REFERENCES users (id),
    at      BIGINT NOT NULL
);

-- Consultations of which the messages and files are gone, their time being up.
CREATE TABLE purges (
    consultation_id TEXT PRIMARY KEY REFERENCES consultations (id),
    at              BIGINT NOT NULL
);
