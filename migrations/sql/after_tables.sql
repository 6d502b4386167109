-- What the application may do: it owns nothing, cannot rewrite history, and sees only its reach.
GRANT USAGE ON SCHEMA public TO dispatch_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO dispatch_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO dispatch_app;

REVOKE INSERT, UPDATE, DELETE ON legal_edges, clock_settings, alembic_version FROM dispatch_app;
REVOKE UPDATE, DELETE ON order_events, decision_records, callbacks, escalations, audit_entries, audit_seals
    FROM dispatch_app;
GRANT UPDATE (seal_id) ON audit_entries TO dispatch_app;
REVOKE DELETE ON orders, offers, offer_recipients, assignments, effects, notices, period_runs, policies, files
    FROM dispatch_app;

-- Canary orders are no history: they go after their days, and only they, by the owner's hand.
CREATE FUNCTION delete_canary_orders(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    gone bigint[];
BEGIN
    SELECT array_agg(id) INTO gone FROM (
        SELECT id FROM orders WHERE is_canary AND created_at < before ORDER BY id LIMIT most
    ) AS old;
    IF gone IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM effects WHERE notice_id IN (SELECT id FROM notices WHERE order_id = ANY (gone));
    DELETE FROM notices WHERE order_id = ANY (gone);
    DELETE FROM offer_recipients WHERE offer_id IN (SELECT id FROM offers WHERE order_id = ANY (gone));
    DELETE FROM offers WHERE order_id = ANY (gone);
    DELETE FROM decision_records WHERE order_id = ANY (gone);
    DELETE FROM assignments WHERE order_id = ANY (gone);
    DELETE FROM escalations WHERE order_id = ANY (gone);
    DELETE FROM callbacks WHERE order_id = ANY (gone);
    DELETE FROM alarms WHERE order_id = ANY (gone);
    WITH history AS (DELETE FROM order_events WHERE order_id = ANY (gone))
    DELETE FROM orders WHERE id = ANY (gone);
    RETURN cardinality(gone);
END
$$;
GRANT EXECUTE ON FUNCTION delete_canary_orders TO dispatch_app;

-- The canary's periods go with its orders; the newest stays, so that the clock knows where it was.
CREATE FUNCTION delete_canary_periods(before timestamptz, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS
$$
    WITH gone AS (
        DELETE FROM period_runs WHERE (job, period) IN (
            SELECT job, period FROM period_runs WHERE job = 'system.canary' AND due_at < before
            AND due_at < (SELECT max(due_at) FROM period_runs WHERE job = 'system.canary')
            ORDER BY due_at LIMIT most
        ) RETURNING job
    )
    SELECT count(*) FROM gone
$$;
GRANT EXECUTE ON FUNCTION delete_canary_periods TO dispatch_app;

-- Second fence: rows of a community are seen only by who has it in reach ('*': the house itself).
DO $$
DECLARE
    name text;
    reach text := '((SELECT current_setting(''dispatch.communities'', true)) = ''*'' OR community_id = ANY '
        '((SELECT string_to_array(nullif(current_setting(''dispatch.communities'', true), ''*''), '',''))::bigint[]))';
    desk text := '(community_id IS NULL AND ((SELECT current_setting(''dispatch.organisations'', true)) = ''*'' OR '
        'organisation_id = ANY ((SELECT string_to_array(nullif(current_setting(''dispatch.organisations'', true), '
        '''*''), '',''))::bigint[])))';
BEGIN
    FOR name IN
        SELECT tables.table_name FROM information_schema.columns AS columns
        JOIN information_schema.tables AS tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name = 'community_id'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        IF EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public' AND table_name = name
                   AND column_name = 'organisation_id') THEN
            EXECUTE format('CREATE POLICY reach ON %I USING (%s OR %s)', name, reach, desk);
        ELSIF EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public' AND table_name = name
                      AND column_name = 'community_id' AND is_nullable = 'YES') THEN
            EXECUTE format('CREATE POLICY reach ON %I USING (%s OR community_id IS NULL)', name, reach);
        ELSE
            EXECUTE format('CREATE POLICY reach ON %I USING (%s)', name, reach);
        END IF;
    END LOOP;
END
$$;

-- The history has no community of its own: it is seen with its order.
ALTER TABLE order_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach_read ON order_events FOR SELECT USING (
    (SELECT current_setting('dispatch.communities', true)) = '*'
    OR EXISTS (SELECT FROM orders WHERE orders.id = order_events.order_id)
);
CREATE POLICY reach_write ON order_events FOR INSERT WITH CHECK (true);

-- One holder at a time of the posts that have one.
ALTER TABLE posts ADD CONSTRAINT ex_posts_one_holder EXCLUDE USING gist (
    kind WITH =, (coalesce(stairwell_id, building_id, area_id)) WITH =,
    daterange(valid_from, valid_until, '[)') WITH &&
) WHERE (kind IN ('area_chief', 'group_leader', 'stairwell_leader'));

-- Who took, assigned, performed or fed back an order never calls back for it.
CREATE FUNCTION refuse_callback_by_handler() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF EXISTS (
        SELECT FROM order_events
        WHERE order_id = NEW.order_id AND user_id = NEW.clerk_id
          AND action IN ('receive', 'dispatch', 'reassign', 'accept', 'arrive', 'finish', 'feed_back')
    ) THEN
        RAISE EXCEPTION 'the handler of order % cannot call back', NEW.order_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_callback_by_handler BEFORE INSERT ON callbacks
    FOR EACH ROW EXECUTE FUNCTION refuse_callback_by_handler();

-- Live pages: one word per changed order, sent at commit; listeners fetch what they may see.
CREATE FUNCTION tell_live_pages() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NOT NEW.is_canary THEN
        PERFORM pg_notify('dispatch_orders', json_build_object(
            'community_id', NEW.community_id, 'organisation_id', NEW.organisation_id,
            'id', NEW.id, 'version', NEW.version)::text);
    END IF;
    RETURN NULL;
END
$$;
-- A commit that notifies holds a lock of the whole database while it flushes, so a placed order says nothing by
-- itself: its routing does so within milliseconds. Only one that waits for a human from the start is told at once.
CREATE TRIGGER tell_live_pages AFTER UPDATE OF version ON orders
    FOR EACH ROW EXECUTE FUNCTION tell_live_pages();
CREATE TRIGGER tell_live_pages_of_unresolved AFTER INSERT ON orders
    FOR EACH ROW WHEN (NEW.state = 'received') EXECUTE FUNCTION tell_live_pages();

-- A firm is the district's and works for the communities that admit it (coverages): they know its name (its
-- phone, address and secret are sealed). Performers of a community stay within it.
DROP POLICY reach ON performers;
CREATE POLICY reach ON performers USING (
    (SELECT current_setting('dispatch.communities', true)) = '*'
    OR community_id = ANY ((SELECT string_to_array(
        nullif(current_setting('dispatch.communities', true), '*'), ','))::bigint[])
    OR (community_id IS NULL AND (
        organisation_id = ANY ((SELECT string_to_array(
            nullif(current_setting('dispatch.organisations', true), '*'), ','))::bigint[])
        OR EXISTS (SELECT FROM coverages WHERE coverages.performer_id = performers.id)))
);
