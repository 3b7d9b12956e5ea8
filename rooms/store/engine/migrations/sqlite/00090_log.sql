-- +goose Up
-- The log of all rooms. A message is its event: nothing of it is stored twice.
-- Rooms and people are numbers here, which never change.
CREATE TABLE log_rooms (
    num   INTEGER PRIMARY KEY,
    id    TEXT NOT NULL UNIQUE,
    taken INTEGER NOT NULL DEFAULT 0 -- the latest seq, where it was taken without an event (the lobby)
);
CREATE TABLE log_people (
    num INTEGER PRIMARY KEY,
    id  TEXT NOT NULL UNIQUE
);
INSERT INTO log_people (num, id) VALUES (0, ''); -- Wenzhen itself

-- The small columns come first: they are read without what follows them.
CREATE TABLE log (
    pos           INTEGER PRIMARY KEY,
    room          INTEGER NOT NULL, -- log_rooms.num
    seq           INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    actor         INTEGER NOT NULL, -- log_people.num
    -- Of messages; NULL in other events. client is 64 bits of a hash of sender
    -- and clientId (engine.ClientHash), recalled_at is when it was taken back.
    sender        INTEGER, -- log_people.num
    client        INTEGER,
    recalled_at   INTEGER,
    message       TEXT, -- its id
    attachment_id TEXT REFERENCES attachments (id),
    id            TEXT NOT NULL, -- of the event
    name          TEXT NOT NULL,
    data          TEXT NOT NULL, -- JSON, without the content where that was taken back
    recalled      TEXT -- what data was before the message was taken back, until it is purged
);
CREATE UNIQUE INDEX log_room_seq ON log (room, seq);
CREATE UNIQUE INDEX log_client ON log (room, client) WHERE client IS NOT NULL;
CREATE UNIQUE INDEX log_message ON log (message) WHERE message IS NOT NULL;
CREATE INDEX log_attachment ON log (attachment_id) WHERE attachment_id IS NOT NULL;

-- The index of words is by log.pos now, and is filled anew.
INSERT INTO message_words (message_words) VALUES ('delete-all');
DELETE FROM cursors WHERE name = 'search';
