-- +goose Up
-- How far the log has been copied (convert.go). It goes with the tables that are
-- copied; while it is there, nobody may write to them.
CREATE TABLE log_conversion (
    state TEXT NOT NULL -- JSON
);
INSERT INTO log_conversion (state) VALUES ('{}');
-- +goose StatementBegin
CREATE FUNCTION log_copied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a newer Wenzhen converts this database; stop the older one'; END $$;
-- +goose StatementEnd
CREATE TRIGGER events_copied BEFORE INSERT OR UPDATE OR DELETE ON events FOR EACH STATEMENT EXECUTE FUNCTION log_copied();
CREATE TRIGGER messages_copied BEFORE INSERT OR UPDATE OR DELETE ON messages FOR EACH STATEMENT EXECUTE FUNCTION log_copied();
CREATE TRIGGER rooms_copied BEFORE INSERT OR UPDATE OR DELETE ON rooms FOR EACH STATEMENT EXECUTE FUNCTION log_copied();
