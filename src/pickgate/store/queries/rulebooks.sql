-- name: published_rulebook
SELECT number, tables FROM rulebooks WHERE published_at IS NOT NULL ORDER BY published_at DESC, number DESC LIMIT 1;

-- name: published_rulebook_number
SELECT number FROM rulebooks WHERE published_at IS NOT NULL ORDER BY published_at DESC, number DESC LIMIT 1;

-- name: load_rulebook
SELECT number, tables FROM rulebooks WHERE number = :number;

-- name: list_rulebooks
SELECT number, note, created_at, created_by, published_at, published_by FROM rulebooks ORDER BY number DESC LIMIT :limit;

-- name: lock_rulebooks
SELECT pg_advisory_xact_lock(7305813254301);

-- name: save_rulebook
INSERT INTO rulebooks (number, tables, note, created_at, created_by)
SELECT coalesce(max(number), 0) + 1, :tables::jsonb, :note, :now::timestamptz, :by FROM rulebooks
RETURNING number;

-- name: publish_rulebook
UPDATE rulebooks SET published_at = :now::timestamptz, published_by = :by WHERE number = :number
RETURNING number;

-- name: wake_stopped_by_rules
-- Orders that the rulebook stopped, or still holds back: they are decided again as a whole.
UPDATE orders
   SET next_look_at = least(next_look_at, :now::timestamptz), hints = hints + 1, woken_because = 'a rulebook was published'
  FROM order_facts AS facts
 WHERE facts.order_row = orders.id AND facts.state IN ('stopped', 'waiting', 'in_warehouse')
RETURNING orders.id;
