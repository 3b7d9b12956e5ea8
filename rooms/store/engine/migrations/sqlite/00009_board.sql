-- +goose Up
-- Strokes that are on a board and, marked as gone, those that were.
CREATE TABLE board_strokes (
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    seq             INTEGER NOT NULL,
    id              TEXT NOT NULL,
    author_id       TEXT NOT NULL REFERENCES users (id),
    gone            INTEGER NOT NULL DEFAULT 0, -- undone or cleared
    stroke          TEXT NOT NULL, -- JSON
    PRIMARY KEY (consultation_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX board_strokes_id ON board_strokes (consultation_id, id);
CREATE INDEX board_strokes_author ON board_strokes (consultation_id, author_id, seq) WHERE gone = 0;

CREATE TABLE boards (
    consultation_id TEXT PRIMARY KEY REFERENCES consultations (id),
    strokes         INTEGER NOT NULL, -- on the board
    attachment_id   TEXT NOT NULL -- its background, or empty
) WITHOUT ROWID;
