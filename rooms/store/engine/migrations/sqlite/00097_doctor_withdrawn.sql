-- +goose Up
-- Whether an admin has rejected the doctor, or withdrawn the verification, and has
-- not verified the doctor since. The reason goes with the doctor's next change.
ALTER TABLE doctors ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
UPDATE doctors SET withdrawn = 1 WHERE rejection <> '';
