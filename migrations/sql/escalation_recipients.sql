-- Whom a level was told to: never forgotten, and only how it was told and who dealt with it may change.
GRANT SELECT, INSERT ON escalation_recipients TO dispatch_app;
GRANT UPDATE (state, told_at, handled_at) ON escalation_recipients TO dispatch_app;
GRANT USAGE, SELECT ON SEQUENCE escalation_recipients_id_seq TO dispatch_app;
ALTER TABLE escalation_recipients ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach ON escalation_recipients USING (
    (SELECT current_setting('dispatch.communities', true)) = '*' OR community_id IS NULL OR community_id = ANY (
        (SELECT string_to_array(nullif(current_setting('dispatch.communities', true), '*'), ','))::bigint[])
);
