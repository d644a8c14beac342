SET LOCAL lock_timeout = '3s';

-- One publication at a time for each place in the warehouse. `epoch` fences off whoever held it before.
CREATE TABLE stock_places (
    account               text        NOT NULL,
    warehouse             text        NOT NULL,
    epoch                 bigint      NOT NULL DEFAULT 0,
    holder                text        NOT NULL DEFAULT '',
    lease_until           timestamptz,
    published_snapshot_at timestamptz,
    held                  text        NOT NULL DEFAULT '',
    held_since            timestamptz,
    released_at           timestamptz,
    PRIMARY KEY (account, warehouse)
);

-- Every level as last compared, and what was last set. Written only when something differs.
CREATE TABLE stock_levels (
    shop         text        NOT NULL,
    location_id  text        NOT NULL,
    item_id      text        NOT NULL,
    account      text        NOT NULL,
    warehouse    text        NOT NULL,
    level_id     text        NOT NULL,
    sku          text        NOT NULL,
    products     text[]      NOT NULL DEFAULT '{}',
    available    bigint      NOT NULL,
    committed    bigint      NOT NULL,
    on_hand      bigint      NOT NULL,
    sellable     bigint      NOT NULL,
    unseen       bigint      NOT NULL,
    promised     bigint      NOT NULL,
    buffer       bigint      NOT NULL,
    target       bigint      NOT NULL,
    action       text        NOT NULL,
    why          text        NOT NULL,
    compared_at  timestamptz NOT NULL,
    rises_since  timestamptz,
    published    bigint,
    published_at timestamptz,
    snapshot_at  timestamptz,
    conflicts    integer     NOT NULL DEFAULT 0,
    refused      text        NOT NULL DEFAULT '',
    PRIMARY KEY (shop, location_id, item_id)
) WITH (fillfactor = 80);
CREATE INDEX stock_levels_by_place ON stock_levels (account, warehouse);
CREATE INDEX stock_levels_by_product ON stock_levels USING gin (products);
CREATE INDEX stock_levels_by_sku ON stock_levels (sku);

-- The effect journal of stock: the key and the values are here before the first byte leaves.
CREATE TABLE stock_batches (
    key         text        PRIMARY KEY,
    shop        text        NOT NULL,
    account     text        NOT NULL,
    warehouse   text        NOT NULL,
    location_id text        NOT NULL,
    on_hand     boolean     NOT NULL,
    items       jsonb       NOT NULL,
    reference   text        NOT NULL,
    snapshot_at timestamptz NOT NULL,
    state       text        NOT NULL CHECK (state IN ('sent', 'confirmed', 'refused', 'unknown', 'lost')),
    note        text        NOT NULL DEFAULT '',
    sent_at     timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX stock_batches_open ON stock_batches (account, warehouse, sent_at) WHERE state IN ('sent', 'unknown');
CREATE INDEX stock_batches_by_time ON stock_batches (sent_at);

-- Products and SKUs whose stock may have moved.
CREATE TABLE stock_hints (
    shop   text        NOT NULL,
    code   text        NOT NULL,
    urgent boolean     NOT NULL DEFAULT false,
    at     timestamptz NOT NULL,
    PRIMARY KEY (shop, code)
);
