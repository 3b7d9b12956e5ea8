-- +goose Up
-- The one writer knows the seq of a room's latest event from the log. A row
-- remains where the log does not show it: seqs that were taken without an event.
DELETE FROM rooms WHERE last_seq = (SELECT max(seq) FROM events WHERE room = rooms.id);
