-- +goose Up
-- Only nodes that follow a log that they share need to read who lost access with an event.
SELECT 1;
