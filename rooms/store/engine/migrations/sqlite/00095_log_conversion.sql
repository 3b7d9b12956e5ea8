-- +goose Up
-- How far the log has been copied (convert.go). It goes with the tables that are
-- copied; while it is there, nobody may write to them.
CREATE TABLE log_conversion (
    state TEXT NOT NULL -- JSON
);
INSERT INTO log_conversion (state) VALUES ('{}');
-- +goose StatementBegin
CREATE TRIGGER events_copied_insert BEFORE INSERT ON events
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_copied_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_copied_insert BEFORE INSERT ON messages
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_copied_update BEFORE UPDATE ON messages
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER rooms_copied_insert BEFORE INSERT ON rooms
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER rooms_copied_update BEFORE UPDATE ON rooms
BEGIN SELECT RAISE(ABORT, 'a newer Wenzhen converts this database; stop the older one'); END;
-- +goose StatementEnd
