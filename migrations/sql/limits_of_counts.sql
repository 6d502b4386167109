-- What is due counts from when its limit was met or has passed; an order is counted again when a limit passes.

ALTER TABLE order_counts ADD COLUMN count_again_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX ix_order_counts_again ON order_counts (count_again_at) WHERE count_again_at IS NOT NULL;
ALTER TABLE figure_totals ADD COLUMN answers_due INTEGER NOT NULL DEFAULT 0;
UPDATE figure_totals SET answers_due = due WHERE due <> 0;

-- The jobs count again what has a limit that nobody has met.
INSERT INTO order_changes (order_id)
SELECT order_id FROM order_counts
WHERE fate = 'kept' AND (
    closing = 'open'
    OR (answering = 'open' AND due_on IS NOT NULL)
    OR (arrival = 'open' AND arrive_due_on IS NOT NULL)
    OR (signing = 'open' AND sign_due_on IS NOT NULL))
ORDER BY order_id;
