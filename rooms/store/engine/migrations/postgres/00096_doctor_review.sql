-- +goose Up
-- Whether the doctor's changed data awaits a review, so that the people of the
-- consultation see it.
ALTER TABLE consultations ADD COLUMN doctor_review BIGINT NOT NULL DEFAULT 0;
