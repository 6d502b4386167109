-- What an attacker with the application's own role could still do to hand-outs, kits and what is over; no more.

-- A hand-out begins for the household of its card, in the month that runs (or ran until midnight).
CREATE FUNCTION market_begin_rightly() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.month NOT IN (date_trunc('month', market_today())::date, date_trunc('month', market_today() - 1)::date)
    OR NOT EXISTS (
        SELECT FROM cards JOIN beneficiaries ON beneficiaries.id = cards.beneficiary_id
        LEFT JOIN residents ON residents.id = beneficiaries.resident_id
        WHERE cards.id = NEW.card_id
        AND coalesce(residents.household_id, beneficiaries.household_id) = NEW.household_id
    ) THEN
        RAISE EXCEPTION 'hand-out % does not begin with its own card in this month', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'begins_rightly';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_begin_rightly BEFORE INSERT ON hand_outs
    FOR EACH ROW EXECUTE FUNCTION market_begin_rightly();

-- At commit its month was charged with what its lines cost, and each line names the goods of its lot.
CREATE FUNCTION market_charge_hand_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.points IS DISTINCT FROM (SELECT sum(points) FROM hand_out_lines WHERE hand_out_id = NEW.id) OR EXISTS (
        SELECT FROM hand_out_lines AS line JOIN lots ON lots.id = line.lot_id
        WHERE line.hand_out_id = NEW.id AND lots.goods_id <> line.goods_id
    ) THEN
        RAISE EXCEPTION 'hand-out % costs something else than its lines', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'charged_as_listed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_charge_hand_out AFTER INSERT ON hand_outs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION market_charge_hand_out();

-- Exactly the list went out for it: not less, not more, not something besides, not twice.
CREATE FUNCTION market_is_booked(which bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT NOT EXISTS (
        SELECT FROM (SELECT lot_id, sum(amount) AS amount FROM hand_out_lines WHERE hand_out_id = which
                     GROUP BY lot_id) AS listed
        FULL JOIN (SELECT lot_id, -sum(movements.amount) AS amount
                   FROM movements JOIN stock_moves ON stock_moves.id = move_id
                   WHERE kind = 'hand_out' AND origin = 'market.hand_out' AND origin_id = which
                   GROUP BY lot_id) AS booked USING (lot_id)
        WHERE listed.amount IS DISTINCT FROM booked.amount)
$$;
CREATE OR REPLACE FUNCTION market_explain_hand_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NOT market_is_booked(NEW.id) THEN
        RAISE EXCEPTION 'hand-out % is not booked as it was signed', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'booked_as_signed';
    END IF;
    IF NOT EXISTS (SELECT FROM files WHERE subject = 'hand_outs' AND subject_id = NEW.id) THEN
        RAISE EXCEPTION 'hand-out % has no signature', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signed';
    END IF;
    RETURN NULL;
END
$$;

-- And no step comes to a hand-out that has its own already (judged after market_judge_signed: triggers go by name).
CREATE FUNCTION market_judge_whole() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    about bigint := (SELECT origin_id FROM stock_moves WHERE id = NEW.move_id AND kind = 'hand_out');
BEGIN
    IF about IS NOT NULL AND NOT market_is_booked(about) THEN
        RAISE EXCEPTION 'step % of stock is not what was signed', NEW.move_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'booked_as_signed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_judge_whole AFTER INSERT ON movements DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.amount < 0) EXECUTE FUNCTION market_judge_whole();

-- A kit is what was packed into it: each lot that went in stands among its parts, so that none is forgotten.
CREATE FUNCTION market_explain_kit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF (SELECT count(DISTINCT lot_id) FROM movements WHERE move_id = NEW.id AND amount > 0) <> 1 OR EXISTS (
        SELECT FROM (SELECT lot_id, -sum(amount) AS amount FROM movements
                     WHERE move_id = NEW.id AND amount < 0 GROUP BY lot_id) AS packed
        FULL JOIN (SELECT part_id AS lot_id, lot_parts.amount FROM lot_parts JOIN movements ON kit_id = lot_id
                   WHERE move_id = NEW.id AND movements.amount > 0) AS listed USING (lot_id)
        WHERE packed.amount IS DISTINCT FROM listed.amount
    ) THEN
        RAISE EXCEPTION 'step % packs something else than the parts of its kit', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'packed_as_listed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_explain_kit AFTER INSERT ON stock_moves DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'kit') EXECUTE FUNCTION market_explain_kit();

-- What is over stays as it is: a disposal that was done or withdrawn, a count that was closed, a round that was held,
-- a hand-over that was taken.
CREATE FUNCTION market_keep_what_is_over() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF to_jsonb(NEW) - ARRAY['order_id', 'order_version'] <> to_jsonb(OLD) - ARRAY['order_id', 'order_version'] THEN
        RAISE EXCEPTION 'row % of % is over', OLD.id, TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'is_over';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_keep_what_is_over BEFORE UPDATE ON disposals
    FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION market_keep_what_is_over();
CREATE TRIGGER market_keep_what_is_over BEFORE UPDATE ON counts
    FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION market_keep_what_is_over();
CREATE TRIGGER market_keep_what_is_over BEFORE UPDATE ON inspections
    FOR EACH ROW WHEN (OLD.done_at IS NOT NULL) EXECUTE FUNCTION market_keep_what_is_over();
CREATE TRIGGER market_keep_what_is_over BEFORE UPDATE ON handovers
    FOR EACH ROW WHEN (OLD.taken_at IS NOT NULL) EXECUTE FUNCTION market_keep_what_is_over();

CREATE FUNCTION market_keep_count() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF (SELECT state FROM counts WHERE id = NEW.count_id) <> 'open' THEN
        RAISE EXCEPTION 'count % is over', NEW.count_id USING ERRCODE = 'check_violation', CONSTRAINT = 'is_over';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_keep_count BEFORE INSERT OR UPDATE ON count_lines
    FOR EACH ROW EXECUTE FUNCTION market_keep_count();
