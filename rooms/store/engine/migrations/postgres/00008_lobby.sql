-- +goose Up
-- The last lines of the lobby, for newcomers; older ones are deleted.
CREATE TABLE lobby_lines (
    seq      BIGINT PRIMARY KEY,
    id       TEXT NOT NULL,
    nickname TEXT NOT NULL,
    text     TEXT NOT NULL,
    at       BIGINT NOT NULL
);

-- A signal may admit those who are told to a room.
ALTER TABLE notices ADD COLUMN into_room TEXT NOT NULL DEFAULT '';
