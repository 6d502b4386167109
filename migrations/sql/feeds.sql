-- A calendar is only ever revoked, and what was revoked stays so.
REVOKE UPDATE ON care_feeds FROM dispatch_app;
GRANT UPDATE (revoked_by, revoked_at) ON care_feeds TO dispatch_app;

CREATE FUNCTION keep_care_feed() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'calendar % is revoked', OLD.id USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER keep_care_feed BEFORE UPDATE ON care_feeds
    FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION keep_care_feed();
