-- +goose Up
-- The addresses of the accounts that --demo has made in this database.
CREATE TABLE demo_accounts (
    email TEXT PRIMARY KEY
);
