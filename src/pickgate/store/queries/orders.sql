-- name: wake_orders
-- The next look only ever moves forward in time: `least` leaves out what is null. New orders get their rows.
WITH item AS (
    SELECT *
      FROM unnest(:shops::text[], :order_ids::text[], :ats::timestamptz[], :hints::bigint[], :becauses::text[])
           AS item (shop, order_id, at, hints, because)
), woken AS (
    INSERT INTO orders (shop, order_id, first_seen_at, next_look_at, hints, woken_because)
    SELECT shop, order_id, :now::timestamptz, at, hints, because
      FROM item
     ORDER BY shop, order_id
        ON CONFLICT (shop, order_id) DO UPDATE
       SET next_look_at = least(orders.next_look_at, excluded.next_look_at),
           hints = orders.hints + excluded.hints,
           woken_because = excluded.woken_because
    RETURNING id, shop, order_id, (xmax = 0) AS is_new
), begun AS (
    INSERT INTO order_facts (order_row, shop, search)
    SELECT id, shop, order_id FROM woken WHERE is_new
)
SELECT id, shop, order_id, is_new FROM woken;

-- name: lock_kin
-- An order and the ones it names, in the order in which `wake_orders` locks too: two looks that wake each other's
-- orders wait for each other instead of deadlocking.
SELECT id FROM orders
 WHERE shop = :shop AND (id = :order_row OR name = ANY (:names::text[]))
 ORDER BY order_id
   FOR UPDATE;

-- name: wake_kin
UPDATE orders
   SET next_look_at = least(next_look_at, :now::timestamptz),
       hints = hints + 1,
       woken_because = :because
 WHERE shop = :shop AND name = ANY (:names::text[]) AND id <> :order_row;

-- name: claim_orders
-- One statement chooses, leases and numbers the claim. Each shop's soonest come first, then each shop's second, …:
-- a flood in one shop cannot starve another. Candidates are more than wanted, so that claimers at the same time find
-- others; the lock checks again that they are still due.
WITH RECURSIVE shops (shop) AS (
    (SELECT shop FROM orders WHERE due_at IS NOT NULL ORDER BY shop LIMIT 1)
    UNION ALL
    SELECT (SELECT shop FROM orders WHERE due_at IS NOT NULL AND orders.shop > shops.shop ORDER BY shop LIMIT 1)
      FROM shops
     WHERE shops.shop IS NOT NULL
), candidates AS MATERIALIZED (
    SELECT one.id, one.turn
      FROM shops
     CROSS JOIN LATERAL (
        SELECT id, row_number() OVER (ORDER BY due_at, id) AS turn
          FROM orders
         WHERE orders.shop = shops.shop AND due_at <= :now
         ORDER BY due_at, id
         LIMIT :limit::bigint * 4
     ) AS one
), chosen AS MATERIALIZED (
    SELECT orders.id, candidates.turn, orders.due_at
      FROM candidates
      JOIN orders USING (id)
     WHERE orders.due_at <= :now
     ORDER BY candidates.turn, orders.due_at, orders.id
     LIMIT :limit
       FOR UPDATE OF orders SKIP LOCKED
)
UPDATE orders
   SET lease_until = :lease_until::timestamptz,
       next_look_at = NULL,
       worker = :worker,
       epoch = epoch + 1
  FROM chosen
 WHERE orders.id = chosen.id
RETURNING orders.id, shop, order_id, name, epoch, hints, failures, chosen.turn, chosen.due_at;

-- name: next_due_at
SELECT min(due_at) FROM orders WHERE due_at IS NOT NULL;

-- name: lock_lease
-- The gate in front of every write of a look: no row, no right to write. Holds the order until the commit.
SELECT orders.hints, orders.first_seen_at
  FROM orders
 WHERE id = :order_row AND epoch = :epoch AND lease_until IS NOT NULL
   FOR UPDATE;

-- name: renew_lease
UPDATE orders
   SET lease_until = :lease_until::timestamptz
 WHERE id = :order_row AND epoch = :epoch AND lease_until IS NOT NULL;

-- name: end_look
-- A hint that came since the claim makes it due now; any other wake-up is kept if it is sooner.
UPDATE orders
   SET lease_until = NULL,
       worker = NULL,
       looked_at = :now::timestamptz,
       next_look_at = least(:next_look_at::timestamptz, next_look_at,
                            CASE WHEN hints > :hints_seen THEN :now::timestamptz END),
       failures = CASE WHEN :failed::text IS NULL THEN 0 ELSE failures + 1 END,
       last_error = :failed::text
 WHERE id = :order_row AND epoch = :epoch AND lease_until IS NOT NULL;

-- name: describe_order
UPDATE orders
   SET name = coalesce(:name::text, name),
       settled = :settled
 WHERE id = :order_row;

-- name: orders_to_sweep
SELECT id, shop, order_id
  FROM orders
 WHERE NOT settled
   AND id > :after
   AND (looked_at IS NULL OR looked_at < :not_looked_since)
 ORDER BY id
 LIMIT :limit;

-- name: settled_sample
-- The settled orders that were looked at the longest ago, so that in the end each gets its turn.
SELECT id, shop, order_id
  FROM orders
 WHERE settled AND looked_at < :not_looked_since AND (:upto::bigint IS NULL OR id < :upto)
 ORDER BY looked_at, id
 LIMIT :limit;

-- name: load_cursor
SELECT value FROM cursors WHERE name = :name;

-- name: save_cursor
INSERT INTO cursors (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: append_journal
INSERT INTO journal (order_row, shop, at, kind, detail, inbox_id)
SELECT * FROM unnest(:order_rows::bigint[], :shops::text[], :ats::timestamptz[], :kinds::text[], :details::jsonb[],
                     :inbox_ids::bigint[]);

-- name: wake_row
UPDATE orders
   SET next_look_at = least(next_look_at, :now::timestamptz),
       hints = hints + 1,
       woken_because = :because
 WHERE id = :order_row;

-- name: notify_wake
SELECT pg_notify('pickgate_wake', '');
