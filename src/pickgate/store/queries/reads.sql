-- name: list_orders
SELECT orders.id, orders.shop, orders.name, orders.order_id AS shopify_id, facts.state, facts.locked,
       facts.shopify_created_at AS created_at, orders.looked_at, orders.next_look_at, facts.gates, facts.differs,
       (SELECT count(*) FROM exceptions WHERE order_row = orders.id AND resolved_at IS NULL) AS open_exceptions,
       (SELECT by FROM operator_records WHERE order_row = orders.id AND kind = 'hold' AND ended_at IS NULL) AS held_by
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE {where}
 ORDER BY {order}
 LIMIT :limit OFFSET :offset;

-- name: count_orders
SELECT count(*) AS total
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE {where};

-- name: find_orders
SELECT orders.id, orders.shop, orders.name, orders.order_id AS shopify_id, orders.looked_at, orders.next_look_at,
       orders.failures, orders.last_error, orders.first_seen_at, orders.lease_until, orders.woken_because,
       facts.state, facts.locked, facts.shopify_created_at AS created_at, facts.gates, facts.differs, facts.tags,
       facts.financial_status, facts.superseded_by, facts.supersedes, facts.comparison, facts.goods_outs_seen,
       facts.digest, facts.fingerprint, facts.rulebook_version, facts.reasons, facts.commands, facts.read_at,
       facts.decided_at, facts.lock_confirmed_at,
       (SELECT count(*) + count(ended_at) FROM operator_records WHERE order_row = orders.id) AS people,
       (SELECT coalesce(jsonb_agg(record ORDER BY number), '[]') FROM goods_outs WHERE order_row = orders.id)
           AS records
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE (orders.id = :id::bigint OR orders.order_id = :ref OR orders.name = ANY (:names::text[]))
   AND (:shops::text[] IS NULL OR orders.shop = ANY (:shops))
 ORDER BY orders.id
 LIMIT 20;

-- name: exceptions_of_orders
SELECT *, coalesce(snoozed_until > now(), false) AS is_snoozed FROM exceptions
 WHERE order_row = ANY (:order_rows::bigint[])
   AND (resolved_at IS NULL OR resolved_at > :resolved_since)
 ORDER BY resolved_at IS NOT NULL, due_at, id;

-- name: list_journal
SELECT journal.at, journal.kind, journal.detail,
       CASE WHEN inbox.body IS NOT NULL THEN journal.inbox_id END AS body_id
  FROM journal
  LEFT JOIN inbox ON inbox.id = journal.inbox_id
 WHERE journal.order_row = :order_row
 ORDER BY journal.id DESC
 LIMIT :limit OFFSET :offset;

-- name: count_journal
SELECT count(*) FROM journal WHERE order_row = :order_row;

-- name: list_effects
SELECT effects.key, effects.kind, effects.target, effects.state, effects.at, effects.sent_at, effects.finished_at,
       effects.attempts, effects.code, effects.problem, effects.note, effects.shop, orders.id AS order_id,
       orders.name AS order_name
  FROM effects
  JOIN orders ON orders.id = effects.order_row
 WHERE {where}
 ORDER BY coalesce(effects.sent_at, effects.at) DESC, effects.id DESC
 LIMIT :limit OFFSET :offset;

-- name: count_effects
SELECT count(*) AS total FROM effects WHERE {where};

-- name: list_exceptions
SELECT *, coalesce(snoozed_until > now(), false) AS is_snoozed FROM exceptions
 WHERE {where}
 ORDER BY {order}
 LIMIT :limit OFFSET :offset;

-- name: count_exceptions
SELECT count(*) AS total FROM exceptions WHERE {where};

-- name: find_exceptions
SELECT *, coalesce(snoozed_until > now(), false) AS is_snoozed FROM exceptions
 WHERE id = ANY (:ids::bigint[]) AND (:shops::text[] IS NULL OR shop = ANY (:shops))
 ORDER BY id;

-- name: exceptions_by_code
SELECT code, owner, severity, count(*) AS open, count(*) FILTER (WHERE due_at < :now) AS overdue,
       min(opened_at) AS oldest_at
  FROM exceptions
 WHERE resolved_at IS NULL AND (:shops::text[] IS NULL OR shop = ANY (:shops))
 GROUP BY code, owner, severity
 ORDER BY count(*) DESC, code;

-- name: list_audit
SELECT id, at, actor, action, subject, shop, reason, before, after
  FROM audit
 WHERE {where}
 ORDER BY id DESC
 LIMIT :limit OFFSET :offset;

-- name: count_audit
SELECT count(*) AS total FROM audit WHERE {where};

-- name: read_body
SELECT source, shop, topic, event_id, body FROM inbox
 WHERE id = :id AND (:shops::text[] IS NULL OR shop = ANY (:shops));

-- name: change_mark
SELECT (SELECT coalesce(max(id), 0) FROM journal) AS journal,
       (SELECT coalesce(max(id), 0) FROM audit) AS audit,
       (SELECT coalesce(max(id), 0) FROM exceptions) AS exceptions;

-- name: health_inbox
-- What came since, and what became of it. A webhook that is neither settled nor pending would be lost.
SELECT count(*) AS accepted,
       coalesce(sum(duplicates), 0)::bigint AS duplicates,
       count(*) FILTER (WHERE verdict IS NULL) AS pending,
       min(received_at) FILTER (WHERE verdict IS NULL) AS oldest_pending_at,
       count(*) FILTER (WHERE verdict = 'hinted') AS hinted,
       count(*) FILTER (WHERE verdict = 'ignored') AS ignored,
       count(*) FILTER (WHERE verdict = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE verdict = 'exception') AS exception
  FROM inbox
 WHERE (received_at >= :since OR verdict IS NULL) AND (:shops::text[] IS NULL OR shop = ANY (:shops));

-- name: health_looks
SELECT count(*) AS due, min(due_at) AS oldest_due_at
  FROM orders
 WHERE due_at <= :now AND lease_until IS NULL AND (:shops::text[] IS NULL OR shop = ANY (:shops));

-- name: health_orders
SELECT state, count(*) AS orders
  FROM order_facts
 WHERE :shops::text[] IS NULL OR shop = ANY (:shops)
 GROUP BY state;

-- name: health_effects
SELECT count(*) AS unknown, min(sent_at) AS oldest_unknown_at
  FROM effects
 WHERE state = 'unknown' AND (:shops::text[] IS NULL OR shop = ANY (:shops));

-- name: health_forecast
-- Orders that only wait for time, by the hour in which their last gate opens.
SELECT date_trunc('hour', opens_at) AS hour, count(*) AS orders
  FROM (SELECT (SELECT CASE WHEN bool_and(gate ->> 'until' IS NOT NULL)
                            THEN max((gate ->> 'until')::timestamptz) END
                  FROM jsonb_array_elements(gates) AS gate) AS opens_at
          FROM order_facts
         WHERE state = 'waiting' AND gates <> '[]' AND (:shops::text[] IS NULL OR shop = ANY (:shops))) AS waiting
 WHERE opens_at BETWEEN :now::timestamptz AND :now::timestamptz + interval '48 hours'
 GROUP BY 1
 ORDER BY 1;

-- name: load_stored_facts
SELECT orders.id, orders.shop, orders.order_id, orders.first_seen_at, facts.observed, facts.goods_outs_seen,
       facts.personal, facts.read_at, facts.rulebook_version, facts.gates_since, facts.lock_confirmed_at,
       facts.carried_from, facts.state
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE orders.id = :order_row;

-- name: newest_orders
SELECT order_row FROM order_facts
 WHERE observed IS NOT NULL AND (:shops::text[] IS NULL OR shop = ANY (:shops))
 ORDER BY shopify_created_at DESC NULLS LAST, order_row DESC
 LIMIT :limit;
