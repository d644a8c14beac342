-- name: load_order
SELECT orders.first_seen_at, orders.shop, orders.order_id, facts.state, facts.gates_since, facts.lock_confirmed_at,
       facts.carried_from, facts.digest, facts.kin_digest
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE orders.id = :order_row AND orders.epoch = :epoch AND orders.lease_until IS NOT NULL;

-- name: load_goods_outs
SELECT reference, record, personal
  FROM goods_outs
 WHERE order_row = :order_row
 ORDER BY number;

-- name: load_open_effects
-- A sent effect of this very claim has not been answered yet; one of an earlier claim is unknown.
SELECT key, kind, target, state, command, personal, attempts, at, sent_at, note, code, problem, finished_at
  FROM effects
 WHERE order_row = :order_row
   AND (state IN ('unknown', 'refused') OR (state = 'sent' AND epoch <> :epoch))
 ORDER BY id;

-- name: load_operator_records
SELECT kind, by, reason, at, until, fingerprint
  FROM operator_records
 WHERE order_row = :order_row AND ended_at IS NULL;

-- name: find_kin
SELECT orders.order_id, orders.name, facts.state, facts.shopify_created_at, facts.tags, facts.cancelled_at,
       facts.closed, facts.customer_id, facts.app_name, facts.skus,
       (SELECT coalesce(jsonb_agg(record ORDER BY number), '[]') FROM goods_outs WHERE order_row = orders.id)
           AS records
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE orders.shop = :shop
   AND orders.id <> :order_row
   AND facts.shopify_created_at IS NOT NULL
   AND (orders.name = ANY (:names::text[])
        OR (facts.shop = :shop AND facts.customer_id = :customer_id::text
            AND facts.shopify_created_at BETWEEN :created_from::timestamptz AND :created_to::timestamptz))
 ORDER BY facts.shopify_created_at, orders.id
 LIMIT 50;

-- name: record_facts
-- What was not read this time (`observed` null) keeps its last known value.
UPDATE order_facts
   SET state = :state,
       read_at = :read_at::timestamptz,
       decided_at = :now::timestamptz,
       rulebook_version = :rulebook_version,
       observed = coalesce(:observed::jsonb, observed),
       goods_outs_seen = :goods_outs_seen::jsonb,
       comparison = :comparison::jsonb,
       differs = :differs,
       wanted = :wanted::jsonb,
       personal = CASE WHEN :observed::jsonb IS NULL THEN personal ELSE :personal::bytea END,
       gates = :gates::jsonb,
       gates_since = :gates_since::jsonb,
       reasons = :reasons::jsonb,
       commands = :commands::jsonb,
       locked = :locked,
       fingerprint = :fingerprint,
       superseded_by = :superseded_by::text,
       supersedes = :supersedes::text[],
       digest = :digest,
       kin_digest = :kin_digest,
       search = CASE WHEN :observed::jsonb IS NULL THEN search ELSE :search END
 WHERE order_row = :order_row;

-- name: record_order_columns
UPDATE order_facts
   SET shopify_created_at = :shopify_created_at::timestamptz,
       shopify_updated_at = :shopify_updated_at::timestamptz,
       cancelled_at = :cancelled_at::timestamptz,
       closed = :closed,
       financial_status = :financial_status,
       total_minor = :total_minor::bigint,
       currency = :currency,
       customer_id = :customer_id::text,
       app_name = :app_name,
       skus = :skus::text[],
       tags = :tags::text[]
 WHERE order_row = :order_row;

-- name: mark_order
UPDATE order_facts
   SET lock_confirmed_at = CASE WHEN :lock::boolean IS NULL THEN lock_confirmed_at
                                WHEN :lock::boolean THEN coalesce(lock_confirmed_at, :now::timestamptz) END,
       carried_from = coalesce(:carried_from::text, carried_from)
 WHERE order_row = :order_row;

-- name: record_goods_out
-- The row number stays, so that the poll's place in the list stays; an unchanged record is not written again.
INSERT INTO goods_outs (order_row, shop, number, reference, fulfilment_order_id, split_group, generation, state,
                        clarus_id, account, stage_code, record, personal, content_fingerprint)
VALUES (:order_row, :shop, :number, :reference, :fulfilment_order_id, :split_group, :generation, :state,
        :clarus_id::text, :account, :stage_code, :record::jsonb, :personal::bytea, :content_fingerprint)
    ON CONFLICT (order_row, number) DO UPDATE
   SET reference = excluded.reference,
       fulfilment_order_id = excluded.fulfilment_order_id,
       split_group = excluded.split_group,
       generation = excluded.generation,
       state = excluded.state,
       clarus_id = excluded.clarus_id,
       account = excluded.account,
       stage_code = excluded.stage_code,
       record = excluded.record,
       personal = excluded.personal,
       content_fingerprint = excluded.content_fingerprint
 WHERE goods_outs.record IS DISTINCT FROM excluded.record
    OR goods_outs.content_fingerprint <> excluded.content_fingerprint;

-- name: forget_goods_out
DELETE FROM goods_outs WHERE order_row = :order_row AND reference = :reference;

-- name: open_goods_outs
SELECT goods_outs.id, goods_outs.shop, orders.order_id, reference, account, clarus_id, polled
  FROM goods_outs
  JOIN orders ON orders.id = goods_outs.order_row
 WHERE goods_outs.id > :after AND goods_outs.state IN ('creating', 'live', 'recalling')
 ORDER BY goods_outs.id
 LIMIT :limit;

-- name: set_polled
UPDATE goods_outs
   SET polled = item.fingerprint
  FROM unnest(:references::text[], :fingerprints::text[]) AS item (reference, fingerprint)
 WHERE goods_outs.reference = item.reference AND goods_outs.polled <> item.fingerprint;

-- name: find_orders_of_goods_outs
SELECT DISTINCT orders.id, orders.shop, orders.order_id
  FROM goods_outs
  JOIN orders ON orders.id = goods_outs.order_row
 WHERE goods_outs.reference = ANY (:references::text[]) OR goods_outs.clarus_id = ANY (:clarus_ids::text[])
 ORDER BY orders.id;

-- name: seen_updates
SELECT orders.order_id, facts.shopify_updated_at
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE orders.shop = :shop AND orders.order_id = ANY (:order_ids::text[]) AND facts.shopify_updated_at IS NOT NULL;
