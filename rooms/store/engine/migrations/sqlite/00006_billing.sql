-- +goose Up
CREATE TABLE orders (
    id               TEXT PRIMARY KEY,
    status           TEXT NOT NULL,
    consultation_id  TEXT NOT NULL UNIQUE REFERENCES consultations (id),
    user_id          TEXT NOT NULL REFERENCES users (id),
    amount           INTEGER NOT NULL,
    currency         TEXT NOT NULL,
    fee_basis_points INTEGER NOT NULL,
    paid             INTEGER NOT NULL,
    refunded         INTEGER NOT NULL,
    gateway          TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    paid_at          INTEGER
) WITHOUT ROWID;
CREATE INDEX orders_user ON orders (user_id, created_at);
CREATE INDEX orders_created ON orders (created_at);

-- One try to pay an order at one gateway.
CREATE TABLE payments (
    id            TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES orders (id),
    gateway       TEXT NOT NULL,
    reference     TEXT NOT NULL,
    remote        TEXT NOT NULL,
    status        TEXT NOT NULL,
    amount        INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    redirect_url  TEXT NOT NULL,
    qr_code       TEXT NOT NULL,
    client_secret TEXT NOT NULL,
    polls         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX payments_reference ON payments (gateway, reference);
CREATE INDEX payments_order ON payments (order_id);
CREATE INDEX payments_created ON payments (created_at);
CREATE INDEX payments_updated ON payments (updated_at);

-- Money that was taken. The primary key is what makes sure that one transaction
-- of a gateway counts once, however often it is told.
CREATE TABLE charges (
    gateway        TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    payment_id     TEXT NOT NULL REFERENCES payments (id),
    order_id       TEXT NOT NULL REFERENCES orders (id),
    amount         INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    at             INTEGER NOT NULL,
    extra          INTEGER NOT NULL,
    PRIMARY KEY (gateway, transaction_id)
) WITHOUT ROWID;
CREATE INDEX charges_order ON charges (order_id);
CREATE INDEX charges_at ON charges (at);

CREATE TABLE refunds (
    id             TEXT PRIMARY KEY,
    order_id       TEXT NOT NULL REFERENCES orders (id),
    payment_id     TEXT NOT NULL REFERENCES payments (id),
    gateway        TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    reason         TEXT NOT NULL,
    status         TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    remote         TEXT NOT NULL,
    note           TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    last_error     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_created ON refunds (created_at);

CREATE TABLE reconciliations (
    day         TEXT PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    checked     INTEGER NOT NULL,
    differences TEXT NOT NULL -- JSON array
) WITHOUT ROWID;

-- What the sandbox gateway knows: its side of the payments, not ours.
CREATE TABLE sandbox_payments (
    reference TEXT PRIMARY KEY,
    state     TEXT NOT NULL -- JSON
) WITHOUT ROWID;
