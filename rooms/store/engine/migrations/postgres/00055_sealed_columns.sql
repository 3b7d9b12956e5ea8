-- +goose Up
-- The columns in which everything is encrypted, once it is: text that is not is
-- refused from then on.
CREATE TABLE sealed_columns (
    name       TEXT PRIMARY KEY, -- table.column
    covered_at BIGINT NOT NULL
);

-- The reason of an entry may be encrypted. That it says the same is shown by the
-- chain, whose hashes are over the text.
DROP TRIGGER audit_fixed ON audit;
CREATE TRIGGER audit_fixed BEFORE UPDATE OF num, at, actor_id, role, address, action, subject, detail, previous, sha256 ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse('the audit log only grows');
CREATE TRIGGER audit_reason_fixed BEFORE UPDATE OF reason ON audit
    FOR EACH ROW WHEN (NEW.reason NOT LIKE 'wz1$%') EXECUTE FUNCTION refuse('the audit log only grows');
