SET LOCAL lock_timeout = '3s';

-- The ledger: what changed an order's value, as balanced transactions in minor units. It only grows.
-- Each entry: {"account", "what", "line", "units", "minor", "currency", "customer_minor", "customer_currency"}.
CREATE FUNCTION ledger_balances(entries jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT count(*) > 0
           AND count(DISTINCT entry ->> 'currency') = 1
           AND count(DISTINCT entry ->> 'customer_currency') = 1
           AND sum((entry ->> 'minor')::bigint) = 0
           AND sum((entry ->> 'customer_minor')::bigint) = 0
      FROM jsonb_array_elements(entries) AS entry
$$;

CREATE TABLE ledger_transactions (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_row bigint      NOT NULL REFERENCES orders (id),
    shop      text        NOT NULL,
    source    text        NOT NULL,
    version   integer     NOT NULL CHECK (version > 0),
    kind      text        NOT NULL CHECK (kind IN (
        'sale', 'edit', 'refund', 'return', 'other', 'payment', 'payout', 'correction')),
    at        timestamptz NOT NULL,
    first_at  timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    means     text        NOT NULL DEFAULT '',
    entries   jsonb       NOT NULL CHECK (ledger_balances(entries)),
    UNIQUE (order_row, source, version)
);
CREATE INDEX ledger_by_time ON ledger_transactions (at);
CREATE INDEX ledger_by_booking ON ledger_transactions (booked_at);
CREATE INDEX ledger_by_first ON ledger_transactions (first_at) WHERE version > 1;
CREATE TRIGGER ledger_grows BEFORE UPDATE OR DELETE ON ledger_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The same by entry, for questions.
CREATE VIEW ledger_entries AS
SELECT booked.id AS transaction_id, booked.order_row, booked.shop, booked.source, booked.version, booked.kind,
       booked.at, booked.booked_at, entry.account, entry.what, entry.line, entry.units, entry.minor, entry.currency,
       entry.customer_minor, entry.customer_currency
  FROM ledger_transactions AS booked,
       jsonb_to_recordset(booked.entries) AS entry(
           account text, what text, line text, units integer, minor bigint, currency text, customer_minor bigint,
           customer_currency text);

-- Where each order's money stands: what the last look saw of it, when it was compared, and what was not explained.
CREATE TABLE money_orders (
    order_row   bigint      PRIMARY KEY REFERENCES orders (id),
    shop        text        NOT NULL,
    seen        text        NOT NULL,
    due_at      timestamptz,
    due_since   timestamptz,
    tries       integer     NOT NULL DEFAULT 0,
    read_at     timestamptz,
    compared_at timestamptz,
    currency    text        NOT NULL DEFAULT '',
    presentment text        NOT NULL DEFAULT '',
    totals      jsonb,
    differences jsonb       NOT NULL DEFAULT '[]',
    unusable    text        NOT NULL DEFAULT '',
    despatches  jsonb       NOT NULL DEFAULT '[]'
) WITH (fillfactor = 80);
CREATE INDEX money_due ON money_orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX money_unexplained ON money_orders (order_row) WHERE differences <> '[]' OR unusable <> '';

-- Everything that a look sees and that money hangs on: totals, lines, fulfilments, and what the warehouse sent.
CREATE FUNCTION money_fingerprint(observed jsonb, comparison jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT md5(concat_ws('|',
        observed -> 'totals',
        observed ->> 'cancelled_at',
        (SELECT string_agg(concat_ws(':', line ->> 'id', line ->> 'current', line ->> 'unit_price'), ',' ORDER BY at)
           FROM jsonb_array_elements(observed -> 'lines') WITH ORDINALITY AS lines(line, at)),
        (SELECT string_agg(concat_ws(':', sent ->> 'id', sent ->> 'cancelled', sent ->> 'lines'), ',' ORDER BY at)
           FROM jsonb_array_elements(observed -> 'fulfilments') WITH ORDINALITY AS fulfilments(sent, at)),
        (SELECT string_agg(concat_ws(':', part ->> 'line_id', part ->> 'despatched'), ',' ORDER BY at)
           FROM jsonb_array_elements(comparison) WITH ORDINALITY AS parts(part, at))))
$$;

-- In the look's own transaction, so that no change of money can be missed. Orders of the shop's tests are left out.
CREATE FUNCTION note_money() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_seen text := money_fingerprint(NEW.observed, NEW.comparison);
BEGIN
    IF NEW.observed ->> 'test' = 'true' OR EXISTS (
        SELECT FROM money_orders WHERE order_row = NEW.order_row AND seen = now_seen
    ) THEN
        RETURN NULL;
    END IF;
    INSERT INTO money_orders (order_row, shop, seen, due_at, due_since)
    VALUES (NEW.order_row, NEW.shop, now_seen, NEW.read_at, NEW.read_at)
        ON CONFLICT (order_row) DO UPDATE
       SET seen = excluded.seen,
           due_at = least(money_orders.due_at, excluded.due_at),
           due_since = coalesce(money_orders.due_since, excluded.due_since),
           tries = 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER order_facts_note_money AFTER INSERT OR UPDATE OF observed, comparison ON order_facts
    FOR EACH ROW WHEN (NEW.observed IS NOT NULL) EXECUTE FUNCTION note_money();

INSERT INTO money_orders (order_row, shop, seen, due_at, due_since)
SELECT order_row, shop, money_fingerprint(observed, comparison), read_at, read_at
  FROM order_facts
 WHERE observed IS NOT NULL AND observed ->> 'test' IS DISTINCT FROM 'true';

-- A closed month, as it was. Later changes are corrections of later months.
CREATE TABLE money_months (
    shop      text        NOT NULL,
    month     text        NOT NULL CHECK (month ~ '^\d{4}-\d{2}$'),
    closed_at timestamptz NOT NULL,
    closed_by text        NOT NULL,
    report    jsonb       NOT NULL,
    PRIMARY KEY (shop, month)
);
CREATE TRIGGER money_months_stay BEFORE UPDATE OR DELETE ON money_months
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER money_months_are_not_emptied BEFORE TRUNCATE ON money_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
