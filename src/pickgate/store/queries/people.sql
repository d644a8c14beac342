-- name: lock_order_for_person
SELECT orders.id, orders.shop, orders.order_id, orders.name, facts.state, facts.digest, facts.fingerprint,
       (SELECT count(*) + count(ended_at) FROM operator_records WHERE order_row = orders.id) AS people
  FROM orders
  JOIN order_facts AS facts ON facts.order_row = orders.id
 WHERE orders.id = :order_row
   FOR UPDATE OF orders;

-- name: open_operator_records
SELECT kind, by, reason, at, until, fingerprint
  FROM operator_records
 WHERE order_row = :order_row AND ended_at IS NULL;

-- name: end_operator_records
UPDATE operator_records
   SET ended_at = :now, ended_by = :by
 WHERE order_row = :order_row AND kind = ANY (:kinds::text[]) AND ended_at IS NULL;

-- name: add_operator_record
INSERT INTO operator_records (order_row, kind, by, reason, at, until, fingerprint)
VALUES (:order_row, :kind, :by, :reason, :now, :until::timestamptz, :fingerprint);

-- name: append_audit
INSERT INTO audit (at, actor, action, subject, shop, reason, before, after)
VALUES (:at, :actor, :action, :subject, :shop, :reason, :before::jsonb, :after::jsonb);

-- name: lock_open_exceptions
SELECT id, scope, shop, code, order_row, order_name, assignee, snoozed_until
  FROM exceptions
 WHERE id = ANY (:ids::bigint[]) AND resolved_at IS NULL
 ORDER BY id
   FOR UPDATE;

-- name: assign_exceptions
UPDATE exceptions SET assignee = :assignee::text WHERE id = ANY (:ids::bigint[]);

-- name: snooze_exceptions
UPDATE exceptions SET snoozed_until = :until::timestamptz WHERE id = ANY (:ids::bigint[]);

-- name: resolve_exceptions
-- One about a webhook has no cause that could go away: the next webhook like it opens another.
UPDATE exceptions
   SET resolved_at = :now::timestamptz,
       resolution = :resolution,
       closed_by = :by,
       cause_holds = cause_holds AND scope NOT LIKE 'inbox:%'
 WHERE id = ANY (:ids::bigint[]);

-- name: create_user
INSERT INTO users (name, password_hash, role, shops, created_at)
VALUES (:name, :password_hash, :role, :shops::text[], :now)
    ON CONFLICT DO NOTHING
RETURNING id;

-- name: set_password
UPDATE users SET password_hash = :password_hash WHERE lower(name) = lower(:name);

-- name: disable_user
UPDATE users SET disabled_at = :now WHERE lower(name) = lower(:name) AND disabled_at IS NULL;

-- name: find_user
SELECT name, password_hash, role, shops FROM users WHERE lower(name) = lower(:name) AND disabled_at IS NULL;

-- name: list_users
SELECT name, role, shops, created_at, disabled_at FROM users ORDER BY lower(name);

-- name: create_session
INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at)
SELECT :token_hash, id, :now, :now, :expires_at FROM users WHERE lower(name) = lower(:name) AND disabled_at IS NULL
RETURNING user_id;

-- name: find_session
SELECT users.name, users.role, users.shops, sessions.last_used_at
  FROM sessions
  JOIN users ON users.id = sessions.user_id
 WHERE token_hash = :token_hash AND ended_at IS NULL AND disabled_at IS NULL
   AND expires_at > :now AND last_used_at > :idle_since;

-- name: touch_session
UPDATE sessions SET last_used_at = :now WHERE token_hash = :token_hash;

-- name: end_session
UPDATE sessions SET ended_at = :now WHERE token_hash = :token_hash AND ended_at IS NULL;

-- name: end_sessions_of
UPDATE sessions SET ended_at = :now
  FROM users
 WHERE users.id = sessions.user_id AND lower(users.name) = lower(:name) AND ended_at IS NULL;

-- name: create_token
INSERT INTO api_tokens (name, token_hash, role, shops, delegating, created_by, created_at, expires_at)
VALUES (:name, :token_hash, :role, :shops::text[], :delegating, :by, :now, :expires_at)
RETURNING id;

-- name: find_token
SELECT id, name, role, shops, delegating, last_used_at
  FROM api_tokens
 WHERE token_hash = :token_hash AND revoked_at IS NULL AND expires_at > :now;

-- name: touch_token
UPDATE api_tokens SET last_used_at = :now WHERE id = :id;

-- name: list_tokens
SELECT id, name, role, shops, delegating, created_by, created_at, expires_at, last_used_at, revoked_at
  FROM api_tokens
 ORDER BY id;

-- name: revoke_token
UPDATE api_tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL RETURNING name;
