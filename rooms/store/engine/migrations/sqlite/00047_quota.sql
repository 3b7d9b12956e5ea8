-- +goose Up
-- What a user has uploaded is counted with each upload.
CREATE INDEX attachments_uploader ON attachments (uploader_id, size);
