-- What is written down now says that it is now: no hand-out, gift, receipt, card or entry is back-dated within its day.
-- Two minutes for a transaction and clocks that differ (as rules/market/hand_outs.py has them); a clock of demo and
-- tests that runs faster gives as many times more.
CREATE FUNCTION is_now(instant timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT abs(extract(epoch FROM instant - dispatch_now()))
        <= 120 * greatest(1, coalesce((SELECT rate FROM clock_settings), 1))
$$;

-- The column that is named says when; whoever comes too late begins again, like an entry of another day.
CREATE FUNCTION refuse_another_instant() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NOT is_now((to_jsonb(NEW) ->> TG_ARGV[0])::timestamptz) THEN
        RAISE EXCEPTION '% of % is not now', TG_ARGV[0], TG_TABLE_NAME
            USING ERRCODE = 'serialization_failure', CONSTRAINT = 'told_now';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('posted_at');
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON receipts
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('issued_at');
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON gifts
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('received_at');
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON stock_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('moved_at');
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON cards
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('issued_at');
CREATE TRIGGER refuse_another_instant BEFORE INSERT ON hand_outs
    FOR EACH ROW EXECUTE FUNCTION refuse_another_instant('reserved_at');

-- A reservation is as long as the community's minutes; so what is signed offline was signed within them. It is recorded
-- when it is told, never before, and the step of stock is of the day of the signature.
CREATE FUNCTION market_reserve_for_minutes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.reserved_until > NEW.reserved_at
        + make_interval(mins => policy_number(NEW.community_id, 'market.reservation_minutes')::integer) THEN
        RAISE EXCEPTION 'hand-out % is reserved for too long', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reserved_for_minutes';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_reserve_for_minutes BEFORE INSERT ON hand_outs
    FOR EACH ROW EXECUTE FUNCTION market_reserve_for_minutes();

CREATE FUNCTION market_tell_now() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NOT is_now(NEW.recorded_at) THEN
        RAISE EXCEPTION 'recorded_at of hand_outs is not now'
            USING ERRCODE = 'serialization_failure', CONSTRAINT = 'told_now';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_tell_now BEFORE UPDATE ON hand_outs
    FOR EACH ROW WHEN (NEW.state = 'done' AND OLD.state <> 'done') EXECUTE FUNCTION market_tell_now();

CREATE FUNCTION market_judge_day() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF EXISTS (
        SELECT FROM hand_outs WHERE id = NEW.origin_id AND state = 'done'
        AND (signed_at AT TIME ZONE 'Asia/Shanghai')::date <> NEW.signed_on
    ) THEN
        RAISE EXCEPTION 'step % is not of the day of its signature', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'day_of_signature';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_judge_day AFTER INSERT ON stock_moves DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'hand_out' AND NEW.origin = 'market.hand_out') EXECUTE FUNCTION market_judge_day();
