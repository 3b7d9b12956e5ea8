-- +goose Up
ALTER TABLE doctors ADD COLUMN licence TEXT NOT NULL DEFAULT '';
-- What an admin has reviewed; a doctor is verified as long as it is still so.
ALTER TABLE doctors ADD COLUMN checked_name TEXT NOT NULL DEFAULT '';
ALTER TABLE doctors ADD COLUMN checked_title TEXT NOT NULL DEFAULT '';
ALTER TABLE doctors ADD COLUMN checked_department TEXT NOT NULL DEFAULT '';
ALTER TABLE doctors ADD COLUMN checked_licence TEXT NOT NULL DEFAULT '';
-- Counts the changes of what is reviewed.
ALTER TABLE doctors ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- Why an admin has rejected it, or withdrawn the verification.
ALTER TABLE doctors ADD COLUMN rejection TEXT NOT NULL DEFAULT '';
UPDATE doctors SET checked_name = (SELECT u.name FROM users u WHERE u.id = doctors.user_id),
    checked_title = title, checked_department = department WHERE verified = 1;
