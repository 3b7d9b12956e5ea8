-- +goose Up
ALTER TABLE consultations ADD COLUMN ended_by TEXT NOT NULL DEFAULT ''; -- 'clinic', or empty
