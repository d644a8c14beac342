SET LOCAL lock_timeout = '3s';

-- Authentic webhooks as they came. The body is encrypted; retention empties it and keeps the row.
CREATE TABLE inbox (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text        NOT NULL,
    shop          text        NOT NULL,
    topic         text        NOT NULL,
    event_id      text        NOT NULL,
    webhook_id    text        NOT NULL,
    api_version   text        NOT NULL DEFAULT '',
    triggered_at  timestamptz,
    received_at   timestamptz NOT NULL,
    body          bytea,
    body_digest   bytea       NOT NULL,
    duplicates    bigint      NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    claims        integer     NOT NULL DEFAULT 0,
    verdict       text        CHECK (verdict IN ('hinted', 'ignored', 'duplicate', 'exception')),
    note          text        NOT NULL DEFAULT '',
    settled_at    timestamptz,
    -- The same event with another body is kept as well: neither is believed, both only cause a look.
    UNIQUE (source, shop, topic, event_id, body_digest)
);
-- A ciphertext does not compress; trying costs time.
ALTER TABLE inbox ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX inbox_pending ON inbox (id) WHERE verdict IS NULL;
CREATE INDEX inbox_by_time ON inbox (received_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- What happened to each order, in order. Append-only; nothing reads it to decide. No personal data.
CREATE TABLE journal (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_row bigint      REFERENCES orders (id),
    shop      text        NOT NULL,
    at        timestamptz NOT NULL,
    kind      text        NOT NULL,
    detail    jsonb       NOT NULL DEFAULT '{}',
    inbox_id  bigint
);
CREATE INDEX journal_by_order ON journal (order_row, id);
CREATE TRIGGER journal_grows BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_is_not_emptied BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
