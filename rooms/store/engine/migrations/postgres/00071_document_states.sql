-- +goose Up
-- What each document, with all its versions and what was decided about them,
-- stands at. It is sealed with the key of documents, so that a version or a
-- decision that was removed is noticed.
CREATE TABLE document_states (
    root   TEXT PRIMARY KEY,
    state  TEXT NOT NULL, -- JSON, to the letter as it was sealed
    seal   TEXT NOT NULL,
    key_id TEXT NOT NULL
);

-- The entries of the audit log that say at which hash a document was left.
CREATE INDEX audit_documents ON audit (subject, num) WHERE action IN ('diagnosis:sign', 'prescription:sign', 'summary:sign',
    'prescription:approve', 'prescription:reject', 'prescription:void', 'document:supersede');
