-- An order ends only when its helpers have (主办/协办), is put away only when nobody supervises it any more, and
-- is voided only by a second person, by the resident, or by the house itself.
CREATE FUNCTION refuse_early_end() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NEW.state IN ('fed_back', 'closed') AND EXISTS (
        SELECT FROM assignments WHERE order_id = NEW.id AND must_finish AND done_at IS NULL
    ) THEN
        RAISE EXCEPTION 'order % has helpers who have not finished', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'archived' AND EXISTS (
        SELECT FROM supervisions WHERE order_id = NEW.id AND ended_at IS NULL
    ) THEN
        RAISE EXCEPTION 'order % is supervised', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_early_end BEFORE UPDATE OF state ON orders
    FOR EACH ROW WHEN (NEW.state IN ('fed_back', 'closed', 'archived')) EXECUTE FUNCTION refuse_early_end();

CREATE FUNCTION refuse_void_by_one() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    asked bigint;
BEGIN
    SELECT void_asked_by INTO asked FROM orders WHERE id = NEW.order_id;
    IF NEW.actor_kind <> 'system' AND NOT coalesce((NEW.facts ->> 'by_resident')::boolean, false)
        AND (asked IS NULL OR NEW.user_id IS NULL OR asked = NEW.user_id) THEN
        RAISE EXCEPTION 'order % is voided by two people', NEW.order_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_void_by_one BEFORE INSERT ON order_events
    FOR EACH ROW WHEN (NEW.action = 'void') EXECUTE FUNCTION refuse_void_by_one();

-- Who gave the final answer has handled the order too.
CREATE OR REPLACE FUNCTION refuse_callback_by_handler() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF EXISTS (
        SELECT FROM order_events
        WHERE order_id = NEW.order_id AND user_id = NEW.clerk_id
          AND action IN ('receive', 'dispatch', 'reassign', 'accept', 'arrive', 'finish', 'feed_back', 'final_answer')
    ) THEN
        RAISE EXCEPTION 'the handler of order % cannot call back', NEW.order_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

GRANT SELECT, INSERT, UPDATE ON order_requests, supervisions TO dispatch_app;
GRANT USAGE, SELECT ON SEQUENCE order_requests_id_seq, supervisions_id_seq TO dispatch_app;
ALTER TABLE order_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach ON order_requests USING (
    (SELECT current_setting('dispatch.communities', true)) = '*' OR community_id = ANY (
        (SELECT string_to_array(nullif(current_setting('dispatch.communities', true), '*'), ','))::bigint[])
);
ALTER TABLE supervisions ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach ON supervisions USING (
    (SELECT current_setting('dispatch.communities', true)) = '*' OR community_id IS NULL OR community_id = ANY (
        (SELECT string_to_array(nullif(current_setting('dispatch.communities', true), '*'), ','))::bigint[])
);
