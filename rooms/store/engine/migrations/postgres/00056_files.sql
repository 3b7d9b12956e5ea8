-- +goose Up
-- Which files rows refer to is asked by the beginning of their hash.
CREATE INDEX attachments_sha256 ON attachments (sha256);
CREATE INDEX attachments_thumbnail ON attachments (thumbnail_sha256);
