-- +goose Up
-- Only with SQLite do processes without listeners leave what they publish in a
-- table of its own: here every node reads it from the log.
SELECT 1;
