-- name: begin_effect
INSERT INTO effects (order_row, shop, key, kind, target, state, command, personal, epoch, at, sent_at)
VALUES (:order_row, :shop, :key, :kind, :target, 'sent', :command::jsonb, :personal::bytea, :epoch, :now, :now)
    ON CONFLICT (order_row, key) DO UPDATE
   SET state = 'sent',
       command = excluded.command,
       personal = excluded.personal,
       epoch = excluded.epoch,
       sent_at = excluded.sent_at,
       attempts = effects.attempts + 1,
       finished_at = NULL,
       code = '',
       problem = '',
       note = '';

-- name: finish_effect
UPDATE effects
   SET state = :state,
       code = :code,
       problem = :problem,
       note = :note,
       finished_at = CASE WHEN :state = 'unknown' THEN NULL ELSE :now::timestamptz END
 WHERE order_row = :order_row AND key = :key;
