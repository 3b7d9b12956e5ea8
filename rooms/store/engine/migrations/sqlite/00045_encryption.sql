-- +goose Up
-- The keys that content is encrypted with, each wrapped by the master key, which
-- is not in the database.
CREATE TABLE data_keys (
    id         TEXT PRIMARY KEY,
    wrapped    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    covered_at INTEGER -- when nothing was left that an older key had encrypted
) WITHOUT ROWID;

-- What is fixed may be encrypted anew. That it says the same is shown by its seal.
DROP TRIGGER documents_fixed;
DROP TRIGGER decisions_fixed;
DROP TRIGGER backgrounds_fixed;
-- +goose StatementBegin
CREATE TRIGGER documents_fixed BEFORE UPDATE OF id, kind, root, version, supersedes, consultation_id, patient_id, patient_name, user_id, doctor_id, doctor_name,
    created_at, updated_at, signed_by, signed_at, sha256, seal ON documents WHEN OLD.signed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a signed document is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_content_fixed BEFORE UPDATE OF content ON documents WHEN OLD.signed_at IS NOT NULL AND NEW.content NOT LIKE 'wz1$%'
BEGIN SELECT RAISE(ABORT, 'a signed document is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER decisions_fixed BEFORE UPDATE OF document_id, num, status, by_id, by_name, at, sha256, seal ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER decisions_reason_fixed BEFORE UPDATE OF reason ON decisions WHEN NEW.reason NOT LIKE 'wz1$%'
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER backgrounds_fixed BEFORE UPDATE OF patient_id, version, at, by_id, by_name, by_role ON backgrounds
BEGIN SELECT RAISE(ABORT, 'a version of a record is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER backgrounds_content_fixed BEFORE UPDATE OF content ON backgrounds WHEN NEW.content NOT LIKE 'wz1$%'
BEGIN SELECT RAISE(ABORT, 'a version of a record is never changed'); END;
-- +goose StatementEnd
