-- +goose Up
-- The signature of the end of the audit log, by a key that is not in the database.
ALTER TABLE audit_head ADD COLUMN signature TEXT NOT NULL DEFAULT '';
