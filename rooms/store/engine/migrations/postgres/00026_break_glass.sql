-- +goose Up
-- Until when an admin who has broken the glass may look on.
CREATE TABLE looks (
    admin_id        TEXT NOT NULL,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    until           BIGINT NOT NULL,
    PRIMARY KEY (admin_id, consultation_id)
);
CREATE INDEX audit_action ON audit (action, num);
