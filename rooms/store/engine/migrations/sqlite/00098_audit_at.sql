-- +goose Up
-- The audit log between two times.
CREATE INDEX audit_at ON audit (at, num);
