-- +goose Up
ALTER TABLE consultations ADD COLUMN scheduled_at BIGINT;
ALTER TABLE consultations ADD COLUMN refund_percent BIGINT NOT NULL DEFAULT 0;

ALTER TABLE users ADD COLUMN calendar_token TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX users_calendar ON users (calendar_token) WHERE calendar_token <> '';

CREATE TABLE schedules (
    doctor_id TEXT PRIMARY KEY REFERENCES users (id),
    time_zone TEXT NOT NULL,
    rules     TEXT NOT NULL, -- JSON array
    version   BIGINT NOT NULL
);

CREATE TABLE exceptions (
    id           TEXT PRIMARY KEY,
    doctor_id    TEXT NOT NULL REFERENCES users (id),
    kind         TEXT NOT NULL,
    start_at     BIGINT NOT NULL,
    end_at       BIGINT NOT NULL,
    note         TEXT NOT NULL,
    slot_minutes BIGINT NOT NULL,
    capacity     BIGINT NOT NULL,
    media        TEXT NOT NULL -- JSON array
);
CREATE INDEX exceptions_doctor ON exceptions (doctor_id, end_at);

-- A seat of a slot that is taken, by an appointment or by an offer that is
-- kept for someone. The primary key is what makes sure that no seat is sold twice.
CREATE TABLE seats (
    doctor_id TEXT NOT NULL REFERENCES users (id),
    start_at  BIGINT NOT NULL,
    seat      BIGINT NOT NULL,
    end_at    BIGINT NOT NULL,
    holder    TEXT NOT NULL, -- "appointment:<id>", "offer:<id>" or "wait:<id>"
    PRIMARY KEY (doctor_id, start_at, seat)
);
CREATE INDEX seats_holder ON seats (holder);

CREATE TABLE appointments (
    id              TEXT PRIMARY KEY,
    status          TEXT NOT NULL,
    consultation_id TEXT NOT NULL UNIQUE REFERENCES consultations (id),
    doctor_id       TEXT NOT NULL REFERENCES users (id),
    doctor_name     TEXT NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id),
    patient_id      TEXT NOT NULL REFERENCES patients (id),
    patient_name    TEXT NOT NULL,
    service         TEXT NOT NULL,
    medium          TEXT NOT NULL,
    complaint       TEXT NOT NULL,
    start_at        BIGINT NOT NULL,
    end_at          BIGINT NOT NULL,
    time_zone       TEXT NOT NULL,
    price           BIGINT NOT NULL,
    currency        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    reschedules     BIGINT NOT NULL,
    sequence        BIGINT NOT NULL,
    reason          TEXT NOT NULL,
    ended_by        TEXT NOT NULL,
    refund_percent  BIGINT NOT NULL,
    offer           TEXT NOT NULL -- JSON, or empty
);
CREATE INDEX appointments_doctor ON appointments (doctor_id, start_at);
CREATE INDEX appointments_user ON appointments (user_id, start_at);

CREATE TABLE waits (
    id              TEXT PRIMARY KEY,
    status          TEXT NOT NULL,
    doctor_id       TEXT NOT NULL REFERENCES users (id),
    user_id         TEXT NOT NULL REFERENCES users (id),
    patient_id      TEXT NOT NULL,
    service         TEXT NOT NULL,
    medium          TEXT NOT NULL,
    complaint       TEXT NOT NULL,
    prior_diagnosis TEXT NOT NULL,
    from_at         BIGINT NOT NULL,
    to_at           BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    offer           TEXT NOT NULL -- JSON, or empty
);
CREATE INDEX waits_doctor ON waits (doctor_id, created_at) WHERE status = 'waiting';
CREATE INDEX waits_user ON waits (user_id, created_at);
