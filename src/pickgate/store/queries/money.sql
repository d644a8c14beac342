-- name: claim_money
WITH chosen AS (
    SELECT order_row
      FROM money_orders
     WHERE due_at <= :now
     ORDER BY due_at, order_row
     LIMIT :limit
       FOR UPDATE SKIP LOCKED
)
UPDATE money_orders
   SET due_at = :lease_until::timestamptz
  FROM chosen, orders
 WHERE money_orders.order_row = chosen.order_row AND orders.id = chosen.order_row
RETURNING money_orders.order_row, money_orders.shop, orders.order_id, orders.name, money_orders.seen,
          coalesce(money_orders.due_since, :now::timestamptz) AS due_since, money_orders.tries;

-- name: claim_money_of
UPDATE money_orders
   SET due_at = :lease_until::timestamptz,
       due_since = coalesce(due_since, :now::timestamptz)
  FROM orders
 WHERE order_row = :order_row AND orders.id = order_row
RETURNING order_row, money_orders.shop, orders.order_id, orders.name, seen, due_since, tries;

-- name: hold_order_for_money
-- The order first, as a look does: two who want the same rows want them in the same order.
SELECT id FROM orders WHERE id = :order_row FOR KEY SHARE;

-- name: lock_money
SELECT seen, read_at, despatches FROM money_orders WHERE order_row = :order_row FOR UPDATE;

-- name: observed_goods
SELECT observed -> 'lines' AS lines, observed -> 'fulfilments' AS fulfilments, comparison
  FROM order_facts
 WHERE order_row = :order_row;

-- name: load_ledger
SELECT booked.order_row, booked.shop, orders.name, booked.source, booked.version, booked.kind, booked.at,
       booked.first_at, booked.booked_at, booked.means, booked.entries
  FROM ledger_transactions AS booked
  JOIN orders ON orders.id = booked.order_row
 WHERE booked.order_row = ANY (:order_rows::bigint[])
 ORDER BY booked.id;

-- name: append_ledger
INSERT INTO ledger_transactions (order_row, shop, source, version, kind, at, first_at, booked_at, means, entries)
VALUES (:order_row, :shop, :source, :version, :kind, :at, :first_at, :booked_at, :means, :entries::jsonb);

-- name: keep_money
-- A look that saw something else meanwhile keeps the order due.
UPDATE money_orders
   SET due_at = CASE WHEN seen = :seen THEN :compare_again_at::timestamptz ELSE :now::timestamptz END,
       due_since = CASE WHEN seen = :seen AND :compare_again_at::timestamptz IS NULL THEN NULL
                        ELSE :now::timestamptz END,
       tries = CASE WHEN seen = :seen AND :compare_again_at::timestamptz IS NOT NULL THEN tries + 1 ELSE 0 END,
       read_at = :read_at::timestamptz,
       compared_at = :now::timestamptz,
       currency = :currency,
       presentment = :presentment,
       totals = :totals::jsonb,
       differences = :differences::jsonb,
       unusable = '',
       despatches = :despatches::jsonb
 WHERE order_row = :order_row;

-- name: put_off_money
UPDATE money_orders
   SET due_at = CASE WHEN seen = :seen THEN :again_at::timestamptz ELSE :now::timestamptz END,
       tries = tries + 1,
       unusable = :why
 WHERE order_row = :order_row;

-- name: money_books
WITH RECURSIVE kin AS (
    SELECT order_row
      FROM order_facts
     WHERE shopify_created_at >= :first AND shopify_created_at < :after
       AND (:shops::text[] IS NULL OR shop = ANY (:shops))
    UNION
    SELECT orders.id
      FROM kin
      JOIN order_facts AS known ON known.order_row = kin.order_row
      JOIN orders ON orders.shop = known.shop AND orders.name = ANY (known.supersedes || known.superseded_by)
)
SELECT orders.id, orders.shop, orders.order_id, orders.name, facts.shopify_created_at, facts.currency, facts.state,
       facts.cancelled_at, facts.supersedes, facts.superseded_by, facts.observed -> 'lines' AS lines,
       money.differences, money.unusable, money.compared_at, money.despatches
  FROM kin
  JOIN orders ON orders.id = kin.order_row
  JOIN order_facts AS facts ON facts.order_row = kin.order_row
  JOIN money_orders AS money ON money.order_row = kin.order_row
 WHERE facts.shopify_created_at IS NOT NULL
 ORDER BY facts.shopify_created_at, orders.id;

-- name: load_booked
SELECT booked.order_row, booked.shop, orders.name, booked.source, booked.version, booked.kind, booked.at,
       booked.first_at, booked.booked_at, booked.means, booked.entries
  FROM ledger_transactions AS booked
  JOIN orders ON orders.id = booked.order_row
 WHERE ((booked.at >= :first AND booked.at < :after) OR (booked.booked_at >= :first AND booked.booked_at < :after))
   AND (:shops::text[] IS NULL OR booked.shop = ANY (:shops))
 ORDER BY booked.id;

-- name: load_corrections
SELECT booked.order_row, booked.shop, orders.name, booked.source, booked.version, booked.kind, booked.at,
       booked.first_at, booked.booked_at, booked.means, booked.entries
  FROM ledger_transactions AS booked
  JOIN orders ON orders.id = booked.order_row
 WHERE booked.shop = :shop
   AND booked.first_at >= :first AND booked.first_at < :after AND booked.booked_at > :since
 ORDER BY booked.id;

-- name: find_close
SELECT report FROM money_months WHERE shop = :shop AND month = :month;

-- name: list_closes
SELECT shop, month, closed_at FROM money_months WHERE :shops::text[] IS NULL OR shop = ANY (:shops);

-- name: record_close
INSERT INTO money_months (shop, month, closed_at, closed_by, report)
VALUES (:shop, :month, :now, :by, :report::jsonb)
    ON CONFLICT DO NOTHING
RETURNING month;
