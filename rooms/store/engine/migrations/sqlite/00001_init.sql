-- +goose Up
-- Times are integers: microseconds since 1970-01-01T00:00:00Z.

-- A room's place in its own log. Next() counts it up inside the transaction.
CREATE TABLE rooms (
    id       TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (
    pos      INTEGER PRIMARY KEY,
    room     TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    id       TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    actor_id TEXT NOT NULL,
    data     TEXT NOT NULL
);
CREATE UNIQUE INDEX events_room_seq ON events (room, seq);

CREATE TABLE timers (
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    due_at       INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at);

-- How far a reader of a table has come.
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    pos  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    role          TEXT NOT NULL,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    locale        TEXT NOT NULL,
    time_zone     TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    suspended     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL DEFAULT 0,
    user_agent   TEXT NOT NULL,
    address      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash       BLOB PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    expires_at INTEGER NOT NULL,
    used       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

CREATE TABLE attempts (
    id      INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    at      INTEGER NOT NULL
);
CREATE INDEX attempts_subject ON attempts (subject, at);
CREATE INDEX attempts_at ON attempts (at);

CREATE TABLE doctors (
    user_id    TEXT PRIMARY KEY REFERENCES users (id),
    title      TEXT NOT NULL,
    department TEXT NOT NULL,
    bio        TEXT NOT NULL,
    languages  TEXT NOT NULL, -- JSON array
    services   TEXT NOT NULL, -- JSON array
    media      TEXT NOT NULL, -- of the services, for filtering: ",text,video,"
    on_duty    INTEGER NOT NULL,
    verified   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE patients (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    name       TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    sex        TEXT NOT NULL,
    relation   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX patients_user ON patients (user_id);

CREATE TABLE consultations (
    id              TEXT PRIMARY KEY,
    status          TEXT NOT NULL,
    service         TEXT NOT NULL,
    medium          TEXT NOT NULL,
    doctor_id       TEXT NOT NULL REFERENCES users (id),
    doctor_name     TEXT NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id),
    patient_id      TEXT NOT NULL REFERENCES patients (id),
    patient_name    TEXT NOT NULL,
    complaint       TEXT NOT NULL,
    prior_diagnosis TEXT NOT NULL,
    price           INTEGER NOT NULL,
    currency        TEXT NOT NULL,
    minutes         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    queued_at       INTEGER,
    accepted_at     INTEGER,
    answered_at     INTEGER,
    ended_at        INTEGER,
    due_at          INTEGER,
    clock_left_ms   INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    summary         TEXT NOT NULL, -- JSON, or empty
    reopened        INTEGER NOT NULL,
    turns_left      INTEGER NOT NULL,
    turn_open       INTEGER NOT NULL,
    refund          TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX consultations_queue ON consultations (doctor_id, queued_at) WHERE status = 'waiting';
CREATE INDEX consultations_accepts ON consultations (doctor_id, accepted_at);

CREATE TABLE participants (
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    user_id         TEXT NOT NULL REFERENCES users (id),
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    joined_at       INTEGER NOT NULL,
    delivered_up_to INTEGER NOT NULL DEFAULT 0,
    read_up_to      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (consultation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX participants_user ON participants (user_id);

CREATE TABLE attachments (
    id               TEXT PRIMARY KEY,
    consultation_id  TEXT NOT NULL REFERENCES consultations (id),
    uploader_id      TEXT NOT NULL REFERENCES users (id),
    kind             TEXT NOT NULL,
    name             TEXT NOT NULL,
    size             INTEGER NOT NULL,
    content_type     TEXT NOT NULL,
    sha256           TEXT NOT NULL,
    width            INTEGER NOT NULL,
    height           INTEGER NOT NULL,
    thumbnail_sha256 TEXT NOT NULL,
    created_at       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE messages (
    num             INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    seq             INTEGER NOT NULL,
    client_id       TEXT NOT NULL,
    sender_id       TEXT NOT NULL REFERENCES users (id),
    kind            TEXT NOT NULL,
    text            TEXT NOT NULL,
    attachment_id   TEXT REFERENCES attachments (id),
    reply_to        TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    recalled_at     INTEGER
);
CREATE UNIQUE INDEX messages_seq ON messages (consultation_id, seq);
CREATE UNIQUE INDEX messages_client_id ON messages (consultation_id, sender_id, client_id);
CREATE INDEX messages_attachment ON messages (attachment_id) WHERE attachment_id IS NOT NULL;

-- The words of messages by messages.num; Chinese, Japanese and Korean
-- characters are each a word (search.go).
CREATE VIRTUAL TABLE message_words USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');

CREATE TABLE quick_replies (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    replies TEXT NOT NULL -- JSON array
) WITHOUT ROWID;
