-- +goose Up
-- The login that a member is in a call with: with it the member leaves.
ALTER TABLE call_members ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
CREATE INDEX call_members_session ON call_members (session_id) WHERE status = 'joined';
