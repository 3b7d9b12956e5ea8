-- +goose Up
-- Where in the log the last reason was given and the closing summary was signed;
-- 0 for what came before this was kept.
ALTER TABLE consultations ADD COLUMN reason_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consultations ADD COLUMN summary_seq BIGINT NOT NULL DEFAULT 0;
