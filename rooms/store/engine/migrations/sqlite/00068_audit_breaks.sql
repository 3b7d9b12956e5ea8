-- +goose Up
-- What the signature of the end of the audit log covers besides: since is the
-- first entry of the present key; broken_at and broken_last are the first and the
-- latest entry that say that what was before them had been rewritten or cut.
ALTER TABLE audit_head ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN broken_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN broken_last INTEGER NOT NULL DEFAULT 0;
