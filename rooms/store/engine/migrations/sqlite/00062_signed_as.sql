-- +goose Up
-- Who patient and doctor were when a document was signed, as JSON, to the letter
-- as it was signed; the form says which fields the signature is over.
ALTER TABLE documents ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
ALTER TABLE documents ADD COLUMN signed_as TEXT NOT NULL DEFAULT '';
-- Which key a seal was made with; empty for those made before.
ALTER TABLE documents ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN key_id TEXT NOT NULL DEFAULT '';

DROP TRIGGER documents_fixed;
DROP TRIGGER decisions_fixed;
-- +goose StatementBegin
CREATE TRIGGER documents_fixed BEFORE UPDATE OF id, kind, root, version, supersedes, consultation_id, patient_id, patient_name, user_id, doctor_id, doctor_name,
    created_at, updated_at, signed_by, signed_at, sha256, seal, form, key_id ON documents WHEN OLD.signed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a signed document is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_signed_as_fixed BEFORE UPDATE OF signed_as ON documents WHEN OLD.signed_at IS NOT NULL AND NEW.signed_as NOT LIKE 'wz1$%'
BEGIN SELECT RAISE(ABORT, 'a signed document is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER decisions_fixed BEFORE UPDATE OF document_id, num, status, by_id, by_name, at, sha256, seal, key_id ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
-- +goose StatementEnd
