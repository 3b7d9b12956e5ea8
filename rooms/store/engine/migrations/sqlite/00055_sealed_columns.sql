-- +goose Up
-- The columns in which everything is encrypted, once it is: text that is not is
-- refused from then on.
CREATE TABLE sealed_columns (
    name       TEXT PRIMARY KEY, -- table.column
    covered_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The reason of an entry may be encrypted. That it says the same is shown by the
-- chain, whose hashes are over the text.
DROP TRIGGER audit_fixed;
-- +goose StatementBegin
CREATE TRIGGER audit_fixed BEFORE UPDATE OF num, at, actor_id, role, address, action, subject, detail, previous, sha256 ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_reason_fixed BEFORE UPDATE OF reason ON audit WHEN NEW.reason NOT LIKE 'wz1$%'
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
-- +goose StatementEnd
