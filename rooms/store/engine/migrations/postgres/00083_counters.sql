-- +goose Up
-- The subjects of counters are hashed with a key from now on. What was counted
-- before, for a day at most, is forgotten.
DELETE FROM attempts;
