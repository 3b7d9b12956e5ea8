-- +goose Up
-- Only with one writer is the seq of a room's latest event known without its row.
SELECT 1;
