-- +goose Up
-- Invited people: what came up to since_seq is not for them, invited_by is the
-- part of who let them in (empty: before this was kept), and who is expected was
-- invited by address and has not entered yet.
ALTER TABLE participants ADD COLUMN since_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE participants ADD COLUMN invited_by TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN expected INTEGER NOT NULL DEFAULT 0;

-- Who took part before and was removed or left.
CREATE TABLE former_participants (
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    user_id         TEXT NOT NULL REFERENCES users (id),
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    joined_at       INTEGER NOT NULL,
    left_at         INTEGER NOT NULL,
    left_seq        INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, user_id)
) WITHOUT ROWID;

CREATE TABLE invitations (
    id              TEXT PRIMARY KEY,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    status          TEXT NOT NULL,
    role            TEXT NOT NULL,
    invitee         TEXT NOT NULL, -- an address as it was typed, or a name
    user_id         TEXT REFERENCES users (id), -- whom it lets in; null for an address that nobody has
    by_address      INTEGER NOT NULL,
    by_id           TEXT NOT NULL REFERENCES users (id),
    by_name         TEXT NOT NULL,
    by_role         TEXT NOT NULL,
    history         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    answered_at     INTEGER
) WITHOUT ROWID;
CREATE INDEX invitations_consultation ON invitations (consultation_id, created_at);
CREATE INDEX invitations_user ON invitations (user_id);

-- Where in the log a document was signed and a picture was laid under a board; 0
-- for what came before this was kept.
ALTER TABLE documents ADD COLUMN signed_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE boards ADD COLUMN attachment_seq INTEGER NOT NULL DEFAULT 0;
