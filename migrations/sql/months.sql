-- A month's room is asked for when something is reserved. What was signed in time and told late is taken of the month
-- even beyond it, because the goods are gone, but gives no room to anything else.
ALTER TABLE household_months DROP CONSTRAINT ck_household_months_used,
    ADD CONSTRAINT ck_household_months_used CHECK (used >= 0 AND allowed >= 0);

CREATE OR REPLACE FUNCTION market_begin_hand_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NOT EXISTS (
        SELECT FROM cards JOIN aid_applications USING (beneficiary_id)
        WHERE cards.id = NEW.card_id AND cards.ended_at IS NULL AND standing = 'approved'
        AND market_today() BETWEEN valid_from AND valid_until
    ) THEN
        RAISE EXCEPTION 'card % opens no hand-out today', NEW.card_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'good_card';
    END IF;
    UPDATE household_months SET used = used + NEW.points
    WHERE household_id = NEW.household_id AND month = NEW.month AND used + NEW.points <= allowed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'household % has no quota left for %', NEW.household_id, NEW.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'quota';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION market_end_hand_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.state = OLD.state AND to_jsonb(NEW) - 'proxy_name' = to_jsonb(OLD) - 'proxy_name'
        AND num_nulls(NEW.proxy_name) = num_nulls(OLD.proxy_name)
    THEN
        RETURN NEW; -- a name that is sealed anew
    END IF;
    IF NEW.state = OLD.state OR NOT (OLD.state, NEW.state) IN (
        ('reserved', 'done'), ('reserved', 'lapsed'), ('reserved', 'cancelled'), ('lapsed', 'done')
    ) THEN
        RAISE EXCEPTION 'hand-out % is over', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'hand_out_over';
    END IF;
    IF OLD.state = 'reserved' THEN
        UPDATE lot_balances AS balance SET reserved = reserved - line.amount FROM hand_out_lines AS line
        WHERE line.hand_out_id = NEW.id AND balance.lot_id = line.lot_id
        AND balance.facility_id = line.facility_id AND balance.spot = line.spot;
    END IF;
    UPDATE household_months
    SET used = used + CASE WHEN OLD.state = 'lapsed' THEN NEW.points WHEN NEW.state = 'done' THEN 0 ELSE -NEW.points END
    WHERE household_id = NEW.household_id AND month = NEW.month;
    RETURN NEW;
END
$$;
