-- +goose Up
-- For counting by state.
CREATE INDEX consultations_status ON consultations (status);
