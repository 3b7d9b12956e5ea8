-- +goose Up
CREATE TABLE notifications (
    id              TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL REFERENCES users (id),
    seq             INTEGER NOT NULL, -- of its notification:created in user:<user_id>
    kind            TEXT NOT NULL,
    topic           TEXT NOT NULL,
    facts           TEXT NOT NULL, -- JSON
    event_id        TEXT NOT NULL,
    room            TEXT NOT NULL, -- of the event
    room_seq        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    delivered_at    INTEGER,
    seen_at         INTEGER,
    read_at         INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX notifications_seq ON notifications (user_id, seq);
-- What makes sure that an event is told once.
CREATE UNIQUE INDEX notifications_event ON notifications (event_id, user_id, topic);
CREATE INDEX notifications_unread ON notifications (user_id, room, room_seq) WHERE read_at IS NULL;

CREATE TABLE notification_preferences (
    user_id     TEXT PRIMARY KEY REFERENCES users (id),
    preferences TEXT NOT NULL -- JSON
) WITHOUT ROWID;

CREATE TABLE push_subscriptions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    session_id TEXT NOT NULL,
    endpoint   TEXT NOT NULL UNIQUE,
    p256dh     TEXT NOT NULL,
    auth       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);

-- What is to leave the house, and the evidence that it did.
CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id),
    user_id         TEXT NOT NULL,
    channel         TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    status          TEXT NOT NULL,
    attempts        INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    leased_until    INTEGER NOT NULL,
    finished_at     INTEGER,
    note            TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE status = 'pending';
CREATE INDEX deliveries_notification ON deliveries (notification_id);

-- What happened before there were notifications is told to nobody.
INSERT INTO cursors (name, pos) SELECT 'notifications', COALESCE(MAX(pos), 0) FROM events;
