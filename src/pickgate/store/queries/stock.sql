-- name: claim_stock_place
INSERT INTO stock_places AS place (account, warehouse, epoch, holder, lease_until)
VALUES (:account, :warehouse, 1, :holder, :lease_until)
    ON CONFLICT (account, warehouse) DO UPDATE
   SET epoch = place.epoch + 1,
       holder = excluded.holder,
       lease_until = excluded.lease_until
 WHERE place.lease_until IS NULL OR place.lease_until <= :now::timestamptz OR place.holder = excluded.holder
RETURNING epoch, published_snapshot_at;

-- name: release_stock_place
UPDATE stock_places
   SET lease_until = NULL,
       published_snapshot_at = coalesce(:published_snapshot_at::timestamptz, published_snapshot_at),
       held_since = CASE WHEN :held <> '' THEN coalesce(held_since, :now::timestamptz) END,
       held = :held,
       released_at = :now::timestamptz
 WHERE account = :account AND warehouse = :warehouse AND epoch = :epoch AND lease_until IS NOT NULL;

-- name: stock_units_in_warehouse
-- The same rule as domain/stock_seen.py: what is in doubt is left out.
WITH order_now AS MATERIALIZED (
    SELECT orders.id, orders.shop, facts.observed, facts.goods_outs_seen,
           coalesce(orders.looked_at < :before::timestamptz, false)
           AND orders.lease_until IS NULL
           AND coalesce(orders.next_look_at > :now::timestamptz, true) AS proven
      FROM orders
      JOIN order_facts AS facts ON facts.order_row = orders.id
     WHERE NOT orders.settled AND orders.shop = ANY (:shops::text[])
       AND facts.observed IS NOT NULL
       AND EXISTS (SELECT FROM goods_outs WHERE order_row = orders.id AND goods_outs.state = 'live')
), share AS (
    SELECT order_now.id AS order_row, order_now.shop, order_now.proven, one ->> 'id' AS fulfilment_order_id,
           one ->> 'location_id' AS location_id, line ->> 'line_id' AS line_id, (line ->> 'remaining')::bigint AS remaining
      FROM order_now
     CROSS JOIN LATERAL jsonb_array_elements(order_now.observed -> 'fulfilment_orders') AS one
     CROSS JOIN LATERAL jsonb_array_elements(one -> 'lines') AS line
     WHERE one ->> 'status' IN ('open', 'in_progress', 'on_hold', 'scheduled')
), inside AS (
    SELECT goods_outs.order_row, goods_outs.fulfilment_order_id, part.line_id, part.sku,
           sum(greatest(0, part.asked - coalesce(told.units, 0))) AS units
      FROM goods_outs
      JOIN order_now ON order_now.id = goods_outs.order_row
     CROSS JOIN LATERAL (
           SELECT line ->> 'line_id' AS line_id, max(line ->> 'sku') AS sku,
                  min((line ->> 'units')::bigint / (line ->> 'per_unit')::bigint) AS asked
             FROM jsonb_array_elements(goods_outs.record -> 'content' -> 'lines') AS line
            GROUP BY 1) AS part
      LEFT JOIN LATERAL (
           SELECT (pair ->> 1)::bigint AS units
             FROM jsonb_array_elements(goods_outs.record -> 'told') AS pair
            WHERE pair ->> 0 = part.line_id
            LIMIT 1) AS told ON true
     WHERE goods_outs.state = 'live'
       AND goods_outs.account = :account
       AND goods_outs.record -> 'content' ->> 'warehouse' = :warehouse
       AND EXISTS (
           SELECT FROM jsonb_array_elements(order_now.goods_outs_seen) AS seen
            WHERE seen ->> 'id' = goods_outs.clarus_id AND seen ->> 'stage' <> 'cancelled'
              AND NOT EXISTS (
                  SELECT
                    FROM (SELECT want ->> 'product_code' AS code, sum((want ->> 'units')::bigint) AS units
                            FROM jsonb_array_elements(goods_outs.record -> 'content' -> 'lines') AS want
                           GROUP BY 1) AS accepted
                   WHERE accepted.units > coalesce((
                         SELECT sum(CASE WHEN (held ->> 'short')::boolean THEN (held ->> 'picked')::bigint
                                         ELSE (held ->> 'ordered')::bigint END)
                           FROM jsonb_array_elements(seen -> 'lines') AS held
                          WHERE held ->> 'product_code' = accepted.code), 0)))
       AND upper(btrim(goods_outs.stage_code)) <> 'DRAFT'
       AND (NOT :allocated_only::boolean OR upper(btrim(goods_outs.stage_code)) IN ('ALLOCATED', 'PICK', 'PART', 'COMPLETED'))
     GROUP BY 1, 2, 3, 4
)
SELECT share.shop, share.location_id, inside.sku,
       coalesce(sum(least(share.remaining, inside.units)) FILTER (WHERE share.proven), 0)::bigint AS proven,
       coalesce(sum(least(share.remaining, inside.units)) FILTER (WHERE NOT share.proven), 0)::bigint AS likely
  FROM share
  JOIN inside USING (order_row, fulfilment_order_id, line_id)
 WHERE share.remaining > 0 AND inside.units > 0
 GROUP BY 1, 2, 3;

-- name: stock_units_since_snapshot
-- The same rule as domain/stock_seen.py, for the few orders that were, or are being, looked at since.
WITH looked AS MATERIALIZED (
    SELECT orders.id, facts.observed,
           orders.lease_until IS NULL AND coalesce(orders.next_look_at > :now::timestamptz, true) AS is_settled
      FROM orders
      JOIN order_facts AS facts ON facts.order_row = orders.id
     WHERE orders.lease_until IS NOT NULL OR orders.looked_at >= :begun_at::timestamptz
), committed AS (
    SELECT looked.id AS order_row, one ->> 'id' AS fulfilment_order_id, line ->> 'line_id' AS line_id,
           (line ->> 'remaining')::bigint AS remaining
      FROM looked
     CROSS JOIN LATERAL jsonb_array_elements(looked.observed -> 'fulfilment_orders') AS one
     CROSS JOIN LATERAL jsonb_array_elements(one -> 'lines') AS line
     WHERE looked.is_settled AND looked.observed IS NOT NULL
       AND one ->> 'status' IN ('open', 'in_progress', 'on_hold', 'scheduled')
)
SELECT line ->> 'product_code' AS code,
       sum(greatest(0, (line ->> 'units')::bigint
           - (coalesce(told.units, 0) + coalesce(committed.remaining, 0)) * (line ->> 'per_unit')::bigint))::bigint
           AS units
  FROM goods_outs
  JOIN looked ON looked.id = goods_outs.order_row
 CROSS JOIN LATERAL jsonb_array_elements(goods_outs.record -> 'content' -> 'lines') AS line
  LEFT JOIN LATERAL (
       SELECT (pair ->> 1)::bigint AS units
         FROM jsonb_array_elements(goods_outs.record -> 'told') AS pair
        WHERE pair ->> 0 = line ->> 'line_id'
        LIMIT 1) AS told ON true
  LEFT JOIN committed ON committed.order_row = goods_outs.order_row
       AND committed.fulfilment_order_id = goods_outs.fulfilment_order_id
       AND committed.line_id = line ->> 'line_id'
 WHERE goods_outs.state IN ('creating', 'live', 'recalling')
   AND goods_outs.account = :account
   AND goods_outs.record -> 'content' ->> 'warehouse' = :warehouse
   AND (looked.is_settled
        OR goods_outs.state = 'creating'
        OR goods_outs.record ->> 'created_at' IS NULL
        OR (goods_outs.record ->> 'created_at')::timestamptz >= :begun_at::timestamptz)
 GROUP BY 1
HAVING sum(greatest(0, (line ->> 'units')::bigint
           - (coalesce(told.units, 0) + coalesce(committed.remaining, 0)) * (line ->> 'per_unit')::bigint)) > 0;

-- name: load_stock_levels
SELECT shop, location_id, item_id, published, snapshot_at, rises_since, conflicts, refused
  FROM stock_levels
 WHERE account = :account AND warehouse = :warehouse
   AND (published IS NOT NULL OR rises_since IS NOT NULL OR conflicts > 0 OR refused <> '' OR snapshot_at IS NOT NULL);

-- name: load_some_stock_levels
SELECT level.shop, level.location_id, level.item_id, published, snapshot_at, rises_since, conflicts, refused
  FROM unnest(:shops::text[], :location_ids::text[], :item_ids::text[]) AS wanted (shop, location_id, item_id)
  JOIN stock_levels AS level USING (shop, location_id, item_id)
 WHERE account = :account AND warehouse = :warehouse;

-- name: find_stock_levels
SELECT shop, location_id, item_id, level_id, sku
  FROM stock_levels
 WHERE account = :account AND warehouse = :warehouse
   AND (products && :codes::text[]
        OR (shop, sku) IN (SELECT * FROM unnest(:shops::text[], :skus::text[])))
 ORDER BY shop, location_id, item_id;

-- name: record_stock_lines
-- Only rows that differ are written: in an ordinary round these are few.
INSERT INTO stock_levels AS level (shop, location_id, item_id, account, warehouse, level_id, sku, products, available,
                                   committed, on_hand, sellable, unseen, promised, buffer, target, action, why,
                                   compared_at, rises_since)
SELECT shop, location_id, item_id, :account, :warehouse, level_id, sku, string_to_array(products, E'\x1f'), available,
       committed, on_hand, sellable, unseen, promised, buffer, target, action, why, :now::timestamptz, rises_since
  FROM unnest(:shops::text[], :location_ids::text[], :item_ids::text[], :level_ids::text[], :skus::text[],
              :products::text[], :availables::bigint[], :committeds::bigint[], :on_hands::bigint[],
              :sellables::bigint[], :unseens::bigint[], :promiseds::bigint[], :buffers::bigint[], :targets::bigint[],
              :actions::text[], :whys::text[], :rises::timestamptz[])
    AS line (shop, location_id, item_id, level_id, sku, products, available, committed, on_hand, sellable, unseen,
             promised, buffer, target, action, why, rises_since)
    ON CONFLICT (shop, location_id, item_id) DO UPDATE
   SET account = excluded.account,
       warehouse = excluded.warehouse,
       level_id = excluded.level_id,
       sku = excluded.sku,
       products = excluded.products,
       available = excluded.available,
       committed = excluded.committed,
       on_hand = excluded.on_hand,
       sellable = excluded.sellable,
       unseen = excluded.unseen,
       promised = excluded.promised,
       buffer = excluded.buffer,
       target = excluded.target,
       action = excluded.action,
       why = excluded.why,
       compared_at = excluded.compared_at,
       rises_since = excluded.rises_since,
       conflicts = CASE WHEN excluded.action = 'same' THEN 0 ELSE level.conflicts END
 WHERE (level.account, level.warehouse, level.level_id, level.sku, level.products, level.available, level.committed,
        level.on_hand, level.sellable, level.unseen, level.buffer, level.target, level.action, level.why,
        level.rises_since)
       IS DISTINCT FROM
       (excluded.account, excluded.warehouse, excluded.level_id, excluded.sku, excluded.products, excluded.available,
        excluded.committed, excluded.on_hand, excluded.sellable, excluded.unseen, excluded.buffer, excluded.target,
        excluded.action, excluded.why, excluded.rises_since)
    OR (excluded.action = 'same' AND level.conflicts > 0);

-- name: stock_level_keys
SELECT shop, location_id, item_id FROM stock_levels WHERE account = :account AND warehouse = :warehouse;

-- name: forget_stock_levels
DELETE FROM stock_levels AS level
 USING unnest(:shops::text[], :location_ids::text[], :item_ids::text[]) AS gone (shop, location_id, item_id)
 WHERE (level.shop, level.location_id, level.item_id) = (gone.shop, gone.location_id, gone.item_id);

-- name: note_stock_conflicts
UPDATE stock_levels AS level
   SET conflicts = conflicts + 1
  FROM unnest(:shops::text[], :location_ids::text[], :item_ids::text[]) AS stale (shop, location_id, item_id)
 WHERE (level.shop, level.location_id, level.item_id) = (stale.shop, stale.location_id, stale.item_id);

-- name: begin_stock_batch
INSERT INTO stock_batches (key, shop, account, warehouse, location_id, on_hand, items, reference, snapshot_at, state, sent_at)
SELECT :key, :shop, :account, :warehouse, :location_id, :on_hand, :items::jsonb, :reference, :snapshot_at, 'sent', :now
 WHERE :epoch::bigint IS NULL
    OR EXISTS (SELECT FROM stock_places
                WHERE account = :account AND warehouse = :warehouse AND epoch = :epoch::bigint)
    ON CONFLICT (key) DO UPDATE SET state = 'sent', sent_at = excluded.sent_at, note = '', finished_at = NULL;

-- name: finish_stock_batch
UPDATE stock_batches
   SET state = :state,
       note = :note,
       finished_at = CASE WHEN :state = 'unknown' THEN NULL ELSE :now::timestamptz END
 WHERE key = :key
RETURNING snapshot_at;

-- name: note_published_stock
UPDATE stock_levels AS level
   SET published = coalesce(set_now.published, level.published),
       published_at = :now::timestamptz,
       snapshot_at = greatest(level.snapshot_at, :snapshot_at::timestamptz),
       conflicts = 0
  FROM unnest(:shops::text[], :location_ids::text[], :item_ids::text[], :published::bigint[])
    AS set_now (shop, location_id, item_id, published)
 WHERE (level.shop, level.location_id, level.item_id) = (set_now.shop, set_now.location_id, set_now.item_id);

-- name: note_refused_stock
UPDATE stock_levels AS level
   SET refused = refusal.code
  FROM unnest(:shops::text[], :location_ids::text[], :item_ids::text[], :codes::text[])
    AS refusal (shop, location_id, item_id, code)
 WHERE (level.shop, level.location_id, level.item_id) = (refusal.shop, refusal.location_id, refusal.item_id);

-- name: open_stock_batches
SELECT key, shop, account, warehouse, location_id, on_hand, items, reference, snapshot_at
  FROM stock_batches
 WHERE account = :account AND warehouse = :warehouse AND state IN ('sent', 'unknown')
 ORDER BY sent_at, key;

-- name: record_stock_hints
INSERT INTO stock_hints AS hint (shop, code, urgent, at)
SELECT shop, code, bool_or(urgent), :now FROM unnest(:shops::text[], :codes::text[], :urgents::boolean[])
    AS given (shop, code, urgent) GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (shop, code) DO UPDATE SET urgent = hint.urgent OR excluded.urgent;

-- name: take_stock_hints
DELETE FROM stock_hints
 WHERE (shop, code) IN (SELECT shop, code FROM stock_hints ORDER BY urgent DESC, at, shop, code
                         LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING shop, code, urgent;

-- name: list_stock_places
SELECT account, warehouse, published_snapshot_at, held, held_since, lease_until, released_at
  FROM stock_places ORDER BY account, warehouse;

-- name: list_stock_levels
SELECT shop, location_id, item_id, account, warehouse, sku, products, available, committed, on_hand, sellable, unseen,
       promised, buffer, target, action, why, compared_at, published, published_at, snapshot_at, conflicts, refused,
       count(*) OVER () AS total
  FROM stock_levels
 WHERE (:shops::text[] IS NULL OR shop = ANY (:shops::text[]))
   AND (:q = '' OR sku ILIKE :pattern OR :q = ANY (products) OR item_id = :q)
   AND (NOT :only_differing::boolean OR target <> greatest(available, 0))
 ORDER BY sku, shop, location_id, item_id
 LIMIT :limit OFFSET :offset;
