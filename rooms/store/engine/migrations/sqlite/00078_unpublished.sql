-- +goose Up
-- What a process without listeners has published (a command of the command
-- line), until the server that runs on the database publishes it.
CREATE TABLE unpublished (
    pos       INTEGER PRIMARY KEY,
    room      TEXT NOT NULL,
    seq       INTEGER NOT NULL, -- of an event; 0 is the end of the session that room belongs to
    namespace TEXT NOT NULL,
    also      TEXT NOT NULL, -- JSON array of rooms
    lost      TEXT NOT NULL  -- JSON array of users
);
