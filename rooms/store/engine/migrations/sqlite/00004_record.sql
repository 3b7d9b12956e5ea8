-- +goose Up
-- Diagnoses, prescriptions and summaries. A row that is signed is never changed
-- nor removed; the triggers say so to whoever tries by mistake, the seal shows
-- it of whoever does it on purpose.
CREATE TABLE documents (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    root            TEXT NOT NULL,
    version         INTEGER NOT NULL,
    supersedes      TEXT NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    patient_id      TEXT NOT NULL REFERENCES patients (id),
    patient_name    TEXT NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id),
    doctor_id       TEXT NOT NULL REFERENCES users (id),
    doctor_name     TEXT NOT NULL,
    content         TEXT NOT NULL, -- JSON, to the letter as it was signed
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    signed_by       TEXT NOT NULL DEFAULT '',
    signed_at       INTEGER,
    sha256          TEXT NOT NULL DEFAULT '',
    seal            TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE UNIQUE INDEX documents_version ON documents (root, version);
CREATE INDEX documents_consultation ON documents (consultation_id, kind);
CREATE INDEX documents_patient ON documents (patient_id);
CREATE INDEX documents_supersedes ON documents (supersedes) WHERE supersedes <> '';

CREATE TABLE decisions (
    document_id TEXT NOT NULL REFERENCES documents (id),
    num         INTEGER NOT NULL,
    status      TEXT NOT NULL,
    by_id       TEXT NOT NULL REFERENCES users (id),
    by_name     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    seal        TEXT NOT NULL,
    PRIMARY KEY (document_id, num)
) WITHOUT ROWID;

CREATE TABLE backgrounds (
    patient_id TEXT NOT NULL REFERENCES patients (id),
    version    INTEGER NOT NULL,
    content    TEXT NOT NULL, -- JSON
    at         INTEGER NOT NULL,
    by_id      TEXT NOT NULL REFERENCES users (id),
    by_name    TEXT NOT NULL,
    by_role    TEXT NOT NULL,
    PRIMARY KEY (patient_id, version)
) WITHOUT ROWID;

CREATE TABLE pharmacists (
    user_id TEXT PRIMARY KEY REFERENCES users (id)
) WITHOUT ROWID;

CREATE TABLE templates (
    user_id   TEXT PRIMARY KEY REFERENCES users (id),
    templates TEXT NOT NULL -- JSON array
) WITHOUT ROWID;

-- A table of ICD-10 codes that was loaded in place of the one that is shipped.
CREATE TABLE icd10 (
    code TEXT PRIMARY KEY,
    zh   TEXT NOT NULL,
    en   TEXT NOT NULL
) WITHOUT ROWID;

-- The log of who did or saw what; audit_head is its end.
CREATE TABLE audit (
    num      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    role     TEXT NOT NULL,
    address  TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    previous TEXT NOT NULL,
    sha256   TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, num);
CREATE INDEX audit_actor ON audit (actor_id, num);
CREATE TABLE audit_head (
    name   TEXT PRIMARY KEY,
    num    INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX consultations_patient ON consultations (patient_id, created_at);

-- +goose StatementBegin
CREATE TRIGGER documents_fixed BEFORE UPDATE ON documents WHEN OLD.signed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a signed document is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_kept BEFORE DELETE ON documents WHEN OLD.signed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a signed document is never removed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER decisions_fixed BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER decisions_kept BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'a decision is never removed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER backgrounds_fixed BEFORE UPDATE ON backgrounds
BEGIN SELECT RAISE(ABORT, 'a version of a record is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
-- +goose StatementEnd
