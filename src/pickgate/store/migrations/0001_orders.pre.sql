SET LOCAL lock_timeout = '3s';

-- An order is its own queue entry: when it is looked at next, and who looks at it now. Narrow, because it changes often.
-- Ids begin high, so that an id is never mistaken for an order's name: people ask for both by number.
CREATE TABLE orders (
    id             bigint      GENERATED ALWAYS AS IDENTITY (START WITH 100000001) PRIMARY KEY,
    shop           text        NOT NULL,
    order_id       text        NOT NULL,
    name           text        NOT NULL DEFAULT '',
    first_seen_at  timestamptz NOT NULL,
    next_look_at   timestamptz,
    lease_until    timestamptz,
    worker         text,
    epoch          bigint      NOT NULL DEFAULT 0,
    hints          bigint      NOT NULL DEFAULT 0,
    woken_because  text        NOT NULL DEFAULT '',
    failures       integer     NOT NULL DEFAULT 0,
    last_error     text,
    looked_at      timestamptz,
    settled        boolean     NOT NULL DEFAULT false,
    -- An order under a lease is due when the lease ends; any other when its next look is.
    due_at         timestamptz GENERATED ALWAYS AS (coalesce(lease_until, next_look_at)) STORED,
    UNIQUE (shop, order_id)
) WITH (fillfactor = 70);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_due_by_shop ON orders (shop, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX orders_by_name ON orders (shop, name) WHERE name <> '';
CREATE INDEX orders_unsettled ON orders (id) WHERE NOT settled;
CREATE INDEX orders_settled ON orders (looked_at) WHERE settled;

-- What the last look saw and decided. No personal data outside `personal`, which is encrypted.
CREATE TABLE order_facts (
    order_row          bigint      PRIMARY KEY REFERENCES orders (id),
    shop               text        NOT NULL,
    state              text        NOT NULL DEFAULT 'waiting' CHECK (state IN (
        'ignored', 'waiting', 'releasing', 'in_warehouse', 'picking', 'part_despatched', 'despatched', 'cancelled',
        'superseded', 'stopped')),
    read_at            timestamptz,
    decided_at         timestamptz,
    rulebook_version   integer     NOT NULL DEFAULT 0,
    observed           jsonb,
    goods_outs_seen    jsonb       NOT NULL DEFAULT '[]',
    comparison         jsonb       NOT NULL DEFAULT '[]',
    differs            boolean     NOT NULL DEFAULT false,
    wanted             jsonb       NOT NULL DEFAULT '[]',
    personal           bytea,
    gates              jsonb       NOT NULL DEFAULT '[]',
    gates_since        jsonb       NOT NULL DEFAULT '{}',
    reasons            jsonb       NOT NULL DEFAULT '[]',
    commands           jsonb       NOT NULL DEFAULT '[]',
    locked             boolean     NOT NULL DEFAULT false,
    lock_confirmed_at  timestamptz,
    fingerprint        text        NOT NULL DEFAULT '',
    superseded_by      text,
    supersedes         text[]      NOT NULL DEFAULT '{}',
    carried_from       text,
    digest             text        NOT NULL DEFAULT '',
    kin_digest         text        NOT NULL DEFAULT '',
    shopify_created_at timestamptz,
    shopify_updated_at timestamptz,
    cancelled_at       timestamptz,
    closed             boolean     NOT NULL DEFAULT false,
    financial_status   text        NOT NULL DEFAULT '',
    total_minor        bigint,
    currency           text        NOT NULL DEFAULT '',
    customer_id        text,
    app_name           text        NOT NULL DEFAULT '',
    skus               text[]      NOT NULL DEFAULT '{}',
    tags               text[]      NOT NULL DEFAULT '{}',
    search             text        NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE INDEX order_facts_by_state ON order_facts (state, shop);
CREATE INDEX order_facts_newest ON order_facts (shopify_created_at DESC NULLS LAST, order_row DESC);
CREATE INDEX order_facts_by_customer ON order_facts (shop, customer_id, shopify_created_at)
    WHERE customer_id IS NOT NULL;
CREATE INDEX order_facts_differing ON order_facts (order_row) WHERE differs;

-- Our own record of each goods-out. `record` is the whole of it without its address; the columns are for questions.
CREATE TABLE goods_outs (
    id                  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_row           bigint      NOT NULL REFERENCES orders (id),
    shop                text        NOT NULL,
    number              integer     NOT NULL,
    reference           text        NOT NULL,
    fulfilment_order_id text        NOT NULL,
    split_group         text        NOT NULL,
    generation          integer     NOT NULL,
    state               text        NOT NULL CHECK (state IN (
        'creating', 'live', 'recalling', 'recalled', 'finished', 'refused')),
    clarus_id           text,
    account             text        NOT NULL,
    stage_code          text        NOT NULL DEFAULT '',
    record              jsonb       NOT NULL,
    personal            bytea,
    content_fingerprint text        NOT NULL,
    polled              text        NOT NULL DEFAULT '',
    UNIQUE (order_row, number),
    UNIQUE (shop, reference)
) WITH (fillfactor = 80);
CREATE INDEX goods_outs_open ON goods_outs (id) WHERE state IN ('creating', 'live', 'recalling');
CREATE INDEX goods_outs_by_reference ON goods_outs (reference);
CREATE INDEX goods_outs_by_clarus_id ON goods_outs (clarus_id) WHERE clarus_id IS NOT NULL;

-- The effect journal: the row is `sent` before the first byte leaves. One row for each key; history is in `journal`.
CREATE TABLE effects (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_row   bigint      NOT NULL REFERENCES orders (id),
    shop        text        NOT NULL,
    key         text        NOT NULL,
    kind        text        NOT NULL,
    target      text        NOT NULL,
    state       text        NOT NULL CHECK (state IN (
        'intended', 'sent', 'confirmed', 'refused', 'unknown', 'lost')),
    command     jsonb       NOT NULL,
    personal    bytea,
    attempts    integer     NOT NULL DEFAULT 1,
    epoch       bigint      NOT NULL,
    at          timestamptz NOT NULL,
    sent_at     timestamptz,
    finished_at timestamptz,
    code        text        NOT NULL DEFAULT '',
    problem     text        NOT NULL DEFAULT '',
    note        text        NOT NULL DEFAULT '',
    UNIQUE (order_row, key)
);
CREATE INDEX effects_open ON effects (state, sent_at) WHERE state IN ('sent', 'unknown');
CREATE INDEX effects_by_time ON effects (at);

-- What people asked for: a hold, an approval, a cancel request. A row says who, why and since when; it ends, it stays.
CREATE TABLE operator_records (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_row   bigint      NOT NULL REFERENCES orders (id),
    kind        text        NOT NULL CHECK (kind IN ('hold', 'approval', 'cancel')),
    by          text        NOT NULL,
    reason      text        NOT NULL,
    at          timestamptz NOT NULL,
    until       timestamptz,
    fingerprint text        NOT NULL DEFAULT '',
    ended_at    timestamptz,
    ended_by    text
);
CREATE UNIQUE INDEX operator_records_open ON operator_records (order_row, kind) WHERE ended_at IS NULL;

CREATE TABLE cursors (
    name  text PRIMARY KEY,
    value text NOT NULL
);
