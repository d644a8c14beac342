-- name: published_rulebook
SELECT number, tables FROM rulebooks WHERE published_at IS NOT NULL ORDER BY published_at DESC, number DESC LIMIT 1;

-- name: published_rulebook_number
SELECT number FROM rulebooks WHERE published_at IS NOT NULL ORDER BY published_at DESC, number DESC LIMIT 1;

-- name: load_rulebook
SELECT number, tables, note, created_at, created_by, published_at, published_by FROM rulebooks WHERE number = :number;

-- name: list_rulebooks
SELECT number, note, created_at, created_by, published_at, published_by
  FROM rulebooks
 ORDER BY number DESC
 LIMIT :limit OFFSET :offset;

-- name: count_rulebooks
SELECT count(*) FROM rulebooks;

-- name: lock_rulebooks
SELECT pg_advisory_xact_lock(7305813254301);

-- name: save_rulebook
INSERT INTO rulebooks (number, tables, note, created_at, created_by)
SELECT coalesce(max(number), 0) + 1, :tables::jsonb, :note, :now::timestamptz, :by FROM rulebooks
RETURNING number;

-- name: publish_rulebook
-- Later than every publication before, whatever the clocks of two hosts say: the newest one decides.
UPDATE rulebooks
   SET published_at = greatest(:now::timestamptz,
                               (SELECT max(published_at) + interval '1 microsecond' FROM rulebooks)),
       published_by = :by
 WHERE number = :number
RETURNING number;

-- name: wake_stopped_by_rules
-- One batch of the orders that the rulebook keeps from the warehouse and that another version decided. An order that is
-- due by :latest anyway is left alone, and so is one that a worker is writing: the next round finds it.
WITH batch AS (
    SELECT orders.id
      FROM orders
      JOIN order_facts AS facts ON facts.order_row = orders.id
     WHERE NOT orders.settled
       AND orders.id > :after
       AND facts.rulebook_version <> :number
       AND (orders.next_look_at IS NULL OR orders.next_look_at > :latest::timestamptz)
       AND EXISTS (SELECT 1 FROM jsonb_array_elements(facts.gates) AS gate WHERE gate ->> 'code' = ANY (:codes::text[]))
     ORDER BY orders.id
     LIMIT :limit
       FOR UPDATE OF orders SKIP LOCKED
)
UPDATE orders
   SET next_look_at = :at::timestamptz, hints = hints + 1, woken_because = 'a rulebook was published'
  FROM batch
 WHERE orders.id = batch.id
RETURNING orders.id;
