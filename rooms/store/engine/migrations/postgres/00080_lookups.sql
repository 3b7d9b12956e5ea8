-- +goose Up
-- Lists and look-ups that read a whole table without these: all consultations
-- for admins, the waiting-list places with a doctor, prescriptions that wait for
-- a pharmacist, and the admins.
CREATE INDEX consultations_created ON consultations (created_at, id);
CREATE INDEX waits_with_doctor ON waits (doctor_id, created_at);
CREATE INDEX documents_signed ON documents (kind, created_at, id) WHERE signed_at IS NOT NULL;
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';
