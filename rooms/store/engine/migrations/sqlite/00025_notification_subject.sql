-- +goose Up
-- What of its event a notification tells of, where that is told once however
-- often events repeat it: "order:<id>", "refund:<id>".
ALTER TABLE notifications ADD COLUMN subject TEXT NOT NULL DEFAULT '';
DROP INDEX notifications_event;
CREATE UNIQUE INDEX notifications_event ON notifications (event_id, user_id, topic, subject);
CREATE UNIQUE INDEX notifications_subject ON notifications (user_id, topic, subject) WHERE subject <> '';
