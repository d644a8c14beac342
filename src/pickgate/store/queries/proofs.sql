-- name: stored_webhooks
SELECT source, topic, event_id, webhook_id, verdict FROM inbox ORDER BY id;

-- name: held_orders
-- What a worker of this process number holds, or held when it died: each order with the number of its claim.
SELECT id, epoch FROM orders WHERE lease_until IS NOT NULL AND split_part(worker, ':', 2) = :pid;

-- name: claim_numbers
SELECT id, epoch FROM orders WHERE id = ANY (:ids::bigint[]);

-- name: left_to_do
-- What is still on its way through: webhooks that nobody has read, effects whose outcome nobody knows.
SELECT (SELECT count(*) FROM inbox WHERE verdict IS NULL) AS webhooks,
       (SELECT count(*) FROM effects WHERE state IN ('sent', 'unknown')) AS effects;
