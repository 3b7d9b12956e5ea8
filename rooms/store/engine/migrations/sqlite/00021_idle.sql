-- +goose Up
-- When somebody last asked for something with it: last_used_at is when its
-- refresh token was traded, which browsers do by themselves.
ALTER TABLE sessions ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET asked_at = last_used_at;

-- +goose Down
ALTER TABLE sessions DROP COLUMN asked_at;
