-- +goose Up
-- How long a recording plays; 0 for other files.
ALTER TABLE attachments ADD COLUMN duration_ms INTEGER NOT NULL DEFAULT 0;
-- How loud a voice message is from beginning to end: a JSON array, or empty.
ALTER TABLE messages ADD COLUMN peaks TEXT NOT NULL DEFAULT '';
