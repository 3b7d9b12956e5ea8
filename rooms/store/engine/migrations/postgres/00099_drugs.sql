-- +goose Up
-- The clinic's table of drugs, as the lines of its CSV file.
CREATE TABLE drugs (
    num INTEGER PRIMARY KEY,
    line TEXT NOT NULL
);
