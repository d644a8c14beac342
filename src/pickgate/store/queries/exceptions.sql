-- name: held_exceptions
SELECT id, fingerprint, resolved_at IS NULL AS is_open, code, summary, detail, actions, last_found_at
  FROM exceptions
 WHERE scope = :scope AND cause_holds
 ORDER BY id
   FOR UPDATE;

-- name: open_exception
INSERT INTO exceptions (scope, order_row, order_name, shop, code, fingerprint, owner, severity, summary, detail,
                        actions, opened_at, last_found_at, due_at)
VALUES (:scope, :order_row::bigint, :order_name, :shop, :code, :fingerprint, :owner, :severity, :summary,
        :detail::jsonb, :actions::text[], :now, :now, :due_at);

-- name: keep_exception
UPDATE exceptions
   SET summary = :summary,
       detail = :detail::jsonb,
       actions = :actions::text[],
       count = count + :counts::integer,
       last_found_at = :now::timestamptz
 WHERE id = :id;

-- name: release_exceptions
-- The cause has gone: an open one closes by itself, one that a person closed is only let go.
UPDATE exceptions
   SET cause_holds = false,
       resolved_at = coalesce(resolved_at, :now::timestamptz),
       resolution = coalesce(resolution, 'cause gone'),
       closed_by = coalesce(closed_by, 'pickgate')
 WHERE id = ANY (:ids::bigint[]);

-- name: lock_scope
SELECT pg_advisory_xact_lock(hashtextextended(:scope, 0));
