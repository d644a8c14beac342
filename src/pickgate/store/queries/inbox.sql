-- name: record_inbox
-- Sorted, so that two batches with the same rows do not deadlock. A duplicate only counts on the first row.
INSERT INTO inbox (source, shop, topic, event_id, webhook_id, api_version, triggered_at, received_at, body,
                   body_digest, duplicates)
SELECT *
  FROM unnest(:sources::text[], :shops::text[], :topics::text[], :event_ids::text[], :webhook_ids::text[],
              :api_versions::text[], :triggered_ats::timestamptz[], :received_ats::timestamptz[], :bodies::bytea[],
              :digests::bytea[], :duplicates::bigint[])
       AS item (source, shop, topic, event_id, webhook_id, api_version, triggered_at, received_at, body, digest, more)
 ORDER BY source, shop, topic, event_id, digest
    ON CONFLICT (source, shop, topic, event_id, body_digest) DO UPDATE
   SET duplicates = inbox.duplicates + excluded.duplicates + 1
RETURNING source, shop, topic, event_id, body_digest, (xmax = 0) AS is_new;

-- name: claim_inbox
WITH chosen AS MATERIALIZED (
    SELECT id
      FROM inbox
     WHERE verdict IS NULL
       AND (claimed_until IS NULL OR claimed_until <= :now)
     ORDER BY id
     LIMIT :limit
       FOR UPDATE SKIP LOCKED
)
UPDATE inbox
   SET claimed_until = :claimed_until,
       claims = claims + 1
  FROM chosen
 WHERE inbox.id = chosen.id
RETURNING inbox.id, source, shop, topic, event_id, body, received_at;

-- name: settle_inbox
-- Answers only the rows that were still pending: settling twice wakes nobody twice.
UPDATE inbox
   SET verdict = item.verdict,
       note = item.note,
       settled_at = :now,
       claimed_until = NULL
  FROM unnest(:ids::bigint[], :verdicts::text[], :notes::text[]) AS item (id, verdict, note)
 WHERE inbox.id = item.id
   AND inbox.verdict IS NULL
RETURNING inbox.id, inbox.source, inbox.shop, inbox.topic;
