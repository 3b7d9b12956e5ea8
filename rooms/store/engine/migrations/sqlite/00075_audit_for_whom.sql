-- +goose Up
-- In which session something was done, which patient it is about, and whether it
-- failed. Entries from before have none of this, which their hashes say too.
ALTER TABLE audit ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN patient_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_patient ON audit (patient_id, num);
DROP TRIGGER audit_fixed;
-- +goose StatementBegin
CREATE TRIGGER audit_fixed BEFORE UPDATE OF num, at, actor_id, role, address, session_id, action, subject, patient_id, outcome, detail, previous, sha256 ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
-- +goose StatementEnd
