-- +goose Up
-- How many consultations and appointments one person has is counted with each
-- that is opened.
CREATE INDEX consultations_user ON consultations (user_id, created_at);
CREATE INDEX appointments_patient ON appointments (patient_id, start_at);
