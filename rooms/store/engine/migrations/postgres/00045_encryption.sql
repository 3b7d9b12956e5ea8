-- +goose Up
-- The keys that content is encrypted with, each wrapped by the master key, which
-- is not in the database.
CREATE TABLE data_keys (
    id         TEXT PRIMARY KEY,
    wrapped    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    covered_at BIGINT -- when nothing was left that an older key had encrypted
);

-- What is fixed may be encrypted anew. That it says the same is shown by its seal.
DROP TRIGGER documents_fixed ON documents;
DROP TRIGGER decisions_fixed ON decisions;
DROP TRIGGER backgrounds_fixed ON backgrounds;
CREATE TRIGGER documents_fixed BEFORE UPDATE OF id, kind, root, version, supersedes, consultation_id, patient_id, patient_name, user_id, doctor_id, doctor_name,
    created_at, updated_at, signed_by, signed_at, sha256, seal ON documents FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse('a signed document is never changed');
CREATE TRIGGER documents_content_fixed BEFORE UPDATE OF content ON documents FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL AND NEW.content NOT LIKE 'wz1$%') EXECUTE FUNCTION refuse('a signed document is never changed');
CREATE TRIGGER decisions_fixed BEFORE UPDATE OF document_id, num, status, by_id, by_name, at, sha256, seal ON decisions FOR EACH ROW EXECUTE FUNCTION refuse('a decision is never changed');
CREATE TRIGGER decisions_reason_fixed BEFORE UPDATE OF reason ON decisions FOR EACH ROW WHEN (NEW.reason NOT LIKE 'wz1$%') EXECUTE FUNCTION refuse('a decision is never changed');
CREATE TRIGGER backgrounds_fixed BEFORE UPDATE OF patient_id, version, at, by_id, by_name, by_role ON backgrounds FOR EACH ROW EXECUTE FUNCTION refuse('a version of a record is never changed');
CREATE TRIGGER backgrounds_content_fixed BEFORE UPDATE OF content ON backgrounds FOR EACH ROW WHEN (NEW.content NOT LIKE 'wz1$%') EXECUTE FUNCTION refuse('a version of a record is never changed');
