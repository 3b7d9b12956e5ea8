-- +goose Up
-- Diagnoses, prescriptions and summaries. A row that is signed is never changed
-- nor removed; the triggers say so to whoever tries by mistake, the seal shows
-- it of whoever does it on purpose.
CREATE TABLE documents (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    root            TEXT NOT NULL,
    version         BIGINT NOT NULL,
    supersedes      TEXT NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    patient_id      TEXT NOT NULL REFERENCES patients (id),
    patient_name    TEXT NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id),
    doctor_id       TEXT NOT NULL REFERENCES users (id),
    doctor_name     TEXT NOT NULL,
    content         TEXT NOT NULL, -- JSON, to the letter as it was signed
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    signed_by       TEXT NOT NULL DEFAULT '',
    signed_at       BIGINT,
    sha256          TEXT NOT NULL DEFAULT '',
    seal            TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX documents_version ON documents (root, version);
CREATE INDEX documents_consultation ON documents (consultation_id, kind);
CREATE INDEX documents_patient ON documents (patient_id);
CREATE INDEX documents_supersedes ON documents (supersedes) WHERE supersedes <> '';

CREATE TABLE decisions (
    document_id TEXT NOT NULL REFERENCES documents (id),
    num         BIGINT NOT NULL,
    status      TEXT NOT NULL,
    by_id       TEXT NOT NULL REFERENCES users (id),
    by_name     TEXT NOT NULL,
    at          BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    seal        TEXT NOT NULL,
    PRIMARY KEY (document_id, num)
);

CREATE TABLE backgrounds (
    patient_id TEXT NOT NULL REFERENCES patients (id),
    version    BIGINT NOT NULL,
    content    TEXT NOT NULL, -- JSON
    at         BIGINT NOT NULL,
    by_id      TEXT NOT NULL REFERENCES users (id),
    by_name    TEXT NOT NULL,
    by_role    TEXT NOT NULL,
    PRIMARY KEY (patient_id, version)
);

CREATE TABLE pharmacists (
    user_id TEXT PRIMARY KEY REFERENCES users (id)
);

CREATE TABLE templates (
    user_id   TEXT PRIMARY KEY REFERENCES users (id),
    templates TEXT NOT NULL -- JSON array
);

-- A table of ICD-10 codes that was loaded in place of the one that is shipped.
CREATE TABLE icd10 (
    code TEXT PRIMARY KEY,
    zh   TEXT NOT NULL,
    en   TEXT NOT NULL
);

-- The log of who did or saw what; audit_head is its end.
CREATE TABLE audit (
    num      BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
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
    num    BIGINT NOT NULL,
    sha256 TEXT NOT NULL
);

CREATE INDEX consultations_patient ON consultations (patient_id, created_at);

-- +goose StatementBegin
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END; $$;
-- +goose StatementEnd
CREATE TRIGGER documents_fixed BEFORE UPDATE ON documents FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse('a signed document is never changed');
CREATE TRIGGER documents_kept BEFORE DELETE ON documents FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse('a signed document is never removed');
CREATE TRIGGER decisions_fixed BEFORE UPDATE ON decisions FOR EACH ROW EXECUTE FUNCTION refuse('a decision is never changed');
CREATE TRIGGER decisions_kept BEFORE DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION refuse('a decision is never removed');
CREATE TRIGGER backgrounds_fixed BEFORE UPDATE ON backgrounds FOR EACH ROW EXECUTE FUNCTION refuse('a version of a record is never changed');
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('the audit log only grows');
CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('the audit log only grows');
