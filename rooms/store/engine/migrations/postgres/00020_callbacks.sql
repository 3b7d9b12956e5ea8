-- +goose Up
-- What gateways have called back with, by their own number for it, so that one
-- that is played again is known.
CREATE TABLE callbacks (
    gateway TEXT NOT NULL,
    id      TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (gateway, id)
);
CREATE INDEX callbacks_at ON callbacks (at);

-- +goose Down
DROP TABLE callbacks;
