-- Since when somebody was last sent to a device, whatever became of it: each need sends once.
ALTER TABLE alarm_states RENAME COLUMN checked_at TO asked_at;

-- What the clock does every minute leaves no history of its periods beyond a few days; the newest stays for each job,
-- so that the clock knows where it was.
CREATE OR REPLACE FUNCTION delete_canary_periods(before timestamptz, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS
$$
    WITH newest AS (
        SELECT job, max(due_at) AS due_at FROM period_runs WHERE job IN ('system.canary', 'care.watch_devices')
        GROUP BY job
    ), gone AS (
        DELETE FROM period_runs WHERE (job, period) IN (
            SELECT job, period FROM period_runs JOIN newest USING (job)
            WHERE period_runs.due_at < before AND period_runs.due_at < newest.due_at
            ORDER BY period_runs.due_at LIMIT most
        ) RETURNING job
    )
    SELECT count(*) FROM gone
$$;
