-- +goose Up
-- The users who lost access to the room with an event, for the nodes that follow the log.
ALTER TABLE events ADD COLUMN lost TEXT NOT NULL DEFAULT '[]'; -- JSON array of users
