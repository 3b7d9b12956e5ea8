-- +goose Up
-- The last lines of the lobby, for newcomers; older ones are deleted.
CREATE TABLE lobby_lines (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL,
    nickname TEXT NOT NULL,
    text     TEXT NOT NULL,
    at       INTEGER NOT NULL
);
