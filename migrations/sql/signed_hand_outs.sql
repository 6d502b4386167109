-- Whatever is handed out is of a hand-out that is signed: a step without an origin was held to nothing.
-- It is judged after market_judge (triggers go by name): goods past their day are refused as such.
CREATE FUNCTION market_judge_signed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF EXISTS (
        SELECT FROM stock_moves AS move WHERE move.id = NEW.move_id AND move.kind = 'hand_out'
        AND (move.origin IS DISTINCT FROM 'market.hand_out' OR NOT EXISTS (
            SELECT FROM hand_outs WHERE hand_outs.id = move.origin_id AND hand_outs.state = 'done'
            AND hand_outs.facility_id = move.facility_id))
    ) THEN
        RAISE EXCEPTION 'step % of stock hands out what nobody has signed', NEW.move_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_judge_signed AFTER INSERT ON movements DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.amount < 0) EXECUTE FUNCTION market_judge_signed();

-- And a hand-out begins as a reservation, with its card, its approval and its month: none is written down as done.
CREATE FUNCTION market_refuse_done_hand_out() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'hand-out % was not reserved', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'reserved';
END
$$;
CREATE TRIGGER market_refuse_done_hand_out BEFORE INSERT ON hand_outs
    FOR EACH ROW WHEN (NEW.state <> 'reserved') EXECUTE FUNCTION market_refuse_done_hand_out();
