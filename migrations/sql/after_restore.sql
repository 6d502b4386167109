-- After a database was restored from a dump, before any process starts: nothing that left the house since the dump
-- leaves it again unasked, and no number that was given since is given to something else. docs/howto/operate.md

-- Mail that waited when the dump was taken may have gone out since; who gets mail cannot dedupe. As a message whose
-- sender ended twice without a word it is not repeated: the desk is alarmed.
INSERT INTO effects (dedupe, notice_id, channel, state, attempts, started_at)
SELECT dedupe, id, channel, 'sending', 2, clock_timestamp() FROM notices
WHERE state = 'waiting' AND channel = 'email'
ON CONFLICT (dedupe) DO UPDATE SET state = 'sending', attempts = 2;

-- Ids of messages are made from the numbers of rows: a receiver that dedupes must not know a new one already.
SELECT count(setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + 1000000)) AS counters
FROM pg_sequences WHERE schemaname = 'public';
