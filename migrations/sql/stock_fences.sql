-- What the stock never does, whoever writes: the fences of lots, movements, counts and disposals.

-- What is packed into kits may be counted like the kits: its fund and wish stay, whatever the sums come to.
UPDATE entry_kinds SET shape = 'packs' WHERE kind = 'kit';
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('refuse_wrong_entry'::regproc), 'WHEN ''converts''',
                    'WHEN ''packs'' THEN custody.wishes = 1 WHEN ''converts''');
END
$$;

ALTER TABLE keepers ADD CONSTRAINT ex_keepers_one_at_a_time EXCLUDE USING gist (
    facility_id WITH =, tstzrange(since, until, '[)') WITH &&
);

-- What decides about a lot, its parts included: a kit is good while each part is, and called back with any of them.
CREATE FUNCTION market_shelf(which bigint, OUT is_food boolean, OUT last_good_day date, OUT received_on date,
    OUT is_recalled boolean) LANGUAGE sql STABLE AS
$$
    WITH RECURSIVE held AS (
        SELECT which AS lot_id
        UNION
        SELECT lot_parts.part_id FROM lot_parts JOIN held ON lot_parts.kit_id = held.lot_id
    )
    SELECT bool_or(lots.is_food),
           CASE WHEN bool_or(lots.is_food AND lots.last_good_day IS NULL) THEN NULL ELSE min(lots.last_good_day) END,
           (SELECT own.received_on FROM lots AS own WHERE own.id = which),
           bool_or(lots.recall_id IS NOT NULL)
    FROM held JOIN lots ON lots.id = held.lot_id
$$;

CREATE FUNCTION market_is_keeper(which bigint, who bigint, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS
$$
    SELECT EXISTS (SELECT FROM keepers WHERE facility_id = which AND user_id = who
                   AND since <= at AND (until IS NULL OR until > at))
$$;

-- A movement keeps the last good day as the database knows it, whatever the writer said.
CREATE FUNCTION market_stamp_movement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    NEW.last_good_day := (market_shelf(NEW.lot_id)).last_good_day;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_stamp_movement BEFORE INSERT ON movements
    FOR EACH ROW EXECUTE FUNCTION market_stamp_movement();

-- Balances are the sums of movements and nobody else's to write.
CREATE FUNCTION market_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    UPDATE lot_balances SET amount = amount + NEW.amount
    WHERE lot_id = NEW.lot_id AND facility_id = NEW.facility_id AND spot = NEW.spot;
    IF NOT FOUND THEN
        INSERT INTO lot_balances (lot_id, facility_id, spot, community_id, amount)
        VALUES (NEW.lot_id, NEW.facility_id, NEW.spot, NEW.community_id, NEW.amount)
        ON CONFLICT (lot_id, facility_id, spot) DO UPDATE SET amount = lot_balances.amount + excluded.amount;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER market_balance AFTER INSERT ON movements FOR EACH ROW EXECUTE FUNCTION market_balance();

-- Judged at commit, on the day on which the commit is made in Shanghai: also when the clock has passed midnight since.
CREATE FUNCTION market_judge() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    move stock_moves;
    shelf record;
    refused varchar;
BEGIN
    SELECT * INTO move FROM stock_moves WHERE id = NEW.move_id;
    IF (SELECT count(*) FROM movements WHERE move_id = NEW.move_id) <> move.movement_count THEN
        RAISE EXCEPTION 'step % is closed', NEW.move_id USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_step';
    END IF;
    IF NEW.amount < 0 THEN
        shelf := market_shelf(NEW.lot_id);
        refused := market_refusal(shelf.is_food, shelf.last_good_day, shelf.received_on, NEW.spot, shelf.is_recalled,
                                  move.kind, move.signed_on, market_today(), move.consumed_on);
        IF refused IS NOT NULL THEN
            RAISE EXCEPTION 'lot % may not be given: %', NEW.lot_id, refused
                USING ERRCODE = 'check_violation', CONSTRAINT = 'may_be_given';
        END IF;
    END IF;
    IF NOT (CASE move.kind
        WHEN 'hand_out' THEN NEW.amount < 0
        WHEN 'parcel' THEN NEW.amount < 0
        WHEN 'shipment' THEN NEW.amount < 0
        WHEN 'sale' THEN NEW.amount < 0
        WHEN 'dispose' THEN NEW.amount < 0 AND NEW.spot = 'quarantine'
        WHEN 'receive' THEN NEW.amount > 0
        WHEN 'return' THEN NEW.amount > 0 AND NEW.spot = 'quarantine'
        WHEN 'kit' THEN NEW.amount < 0 OR (SELECT is_kit FROM lots WHERE id = NEW.lot_id)
        WHEN 'quarantine' THEN (NEW.amount > 0) = (NEW.spot = 'quarantine')
        WHEN 'release' THEN (NEW.amount < 0) = (NEW.spot = 'quarantine')
        WHEN 'shelve' THEN NEW.spot <> 'quarantine'
        ELSE true END) THEN
        RAISE EXCEPTION 'a movement of % does not fit its step %', NEW.lot_id, move.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fits_its_step';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_judge AFTER INSERT ON movements DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION market_judge();

-- A step adds up to the stock lines of its entry, account by account; inside a facility nothing comes or goes.
-- While a facility is counted nothing moves there (whoever opens a count waits for those who began before).
CREATE FUNCTION market_explain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.entry_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM entries WHERE id = NEW.entry_id AND CASE NEW.kind
            WHEN 'reverse' THEN reverses_id = (SELECT entry_id FROM stock_moves WHERE id = NEW.reverses_id)
            ELSE origin = 'market.move' AND origin_id = NEW.id END AND kind = ANY (
            CASE NEW.kind
                WHEN 'receive' THEN ARRAY['opening', 'gift', 'purchase', 'surplus']
                WHEN 'shipment' THEN ARRAY['shipment', 'transfer']
                WHEN 'return' THEN ARRAY['transfer', 'surplus']
                WHEN 'adjust' THEN ARRAY['surplus', 'shortage']
                WHEN 'dispose' THEN ARRAY['disposal', 'given_back']
                WHEN 'reverse' THEN ARRAY['reversal']
                ELSE ARRAY[NEW.kind]::text[] END)
    ) THEN
        RAISE EXCEPTION 'step % is not what its entry was posted for', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT lots.fund_id, lots.earmark_id, lots.commodity, facilities.holding_id, sum(movements.amount) AS amount
            FROM movements JOIN lots ON lots.id = movements.lot_id
            JOIN facilities ON facilities.id = movements.facility_id
            WHERE movements.move_id = NEW.id GROUP BY 1, 2, 3, 4 HAVING sum(movements.amount) <> 0
        ) AS moved FULL JOIN (
            SELECT accounts.fund_id, accounts.earmark_id, accounts.commodity, accounts.holding_id, entry_lines.amount
            FROM entry_lines JOIN accounts ON accounts.id = entry_lines.account_id
            WHERE entry_lines.entry_id = NEW.entry_id AND accounts.holding_kind = 'stock'
        ) AS booked ON moved.fund_id = booked.fund_id AND moved.commodity = booked.commodity
            AND moved.holding_id = booked.holding_id
            AND coalesce(moved.earmark_id, 0) = coalesce(booked.earmark_id, 0)
        WHERE moved.amount IS DISTINCT FROM booked.amount
    ) THEN
        RAISE EXCEPTION 'step % and its entry do not add up', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'explained';
    END IF;
    IF EXISTS (
        SELECT FROM movements WHERE move_id = NEW.id AND NEW.kind IN ('shelve', 'quarantine', 'release')
        GROUP BY lot_id, facility_id HAVING sum(amount) <> 0
        UNION ALL
        SELECT FROM movements WHERE move_id = NEW.id AND NEW.kind = 'transfer'
        GROUP BY lot_id, spot = 'quarantine' HAVING sum(amount) <> 0
        UNION ALL
        SELECT FROM movements WHERE move_id = NEW.id AND NEW.kind = 'adjust'
        HAVING count(DISTINCT sign(amount)) > 1
    ) OR NEW.movement_count <> (SELECT count(*) FROM movements WHERE move_id = NEW.id) THEN
        RAISE EXCEPTION 'the movements of step % do not fit it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fits_its_step';
    END IF;
    IF NEW.kind = 'reverse' AND (
        (SELECT kind FROM stock_moves WHERE id = NEW.reverses_id) IN ('reverse', 'shelve', 'quarantine', 'release')
        OR EXISTS (
            SELECT FROM (SELECT * FROM movements WHERE move_id = NEW.id) AS back
            FULL JOIN (SELECT * FROM movements WHERE move_id = NEW.reverses_id) AS first
                USING (lot_id, facility_id, spot)
            WHERE back.amount IS DISTINCT FROM -first.amount
        )
    ) THEN
        RAISE EXCEPTION 'step % is not the reverse of %', NEW.id, NEW.reverses_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reversed_exactly';
    END IF;
    IF EXISTS (SELECT FROM counts JOIN movements USING (facility_id)
               WHERE movements.move_id = NEW.id AND counts.state = 'open') THEN
        RAISE EXCEPTION 'step % in a facility that is being counted', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'stands_still';
    END IF;
    IF NEW.kind IN ('adjust', 'dispose') AND market_is_keeper(NEW.facility_id, NEW.approved_by, NEW.moved_at) THEN
        RAISE EXCEPTION 'step % is approved by the keeper', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'three_people';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_explain AFTER INSERT ON stock_moves DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION market_explain();
-- Goods on a stock account of the journal belong to a step.
CREATE FUNCTION market_demand_step() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF EXISTS (SELECT FROM accounts WHERE id = NEW.account_id AND holding_kind = 'stock')
       AND NOT EXISTS (SELECT FROM stock_moves WHERE entry_id = NEW.entry_id) THEN
        RAISE EXCEPTION 'entry % moves stock without a step', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'explained';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER market_demand_step AFTER INSERT ON entry_lines DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION market_demand_step();

-- The dates of a lot are never edited: the stated day only comes forward, a recall is never taken back.
CREATE FUNCTION market_keep_dates() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF to_jsonb(NEW) - ARRAY['expires_on', 'last_good_day', 'recall_id']
       IS DISTINCT FROM to_jsonb(OLD) - ARRAY['expires_on', 'last_good_day', 'recall_id']
       OR (OLD.recall_id IS NOT NULL AND NEW.recall_id IS DISTINCT FROM OLD.recall_id)
       OR (NEW.expires_on IS DISTINCT FROM OLD.expires_on AND (OLD.last_good_day IS NULL OR NEW.expires_on IS NULL
           OR NEW.expires_on >= OLD.last_good_day)) THEN
        RAISE EXCEPTION 'the dates of lot % are not edited', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dates_stand';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_keep_dates BEFORE UPDATE ON lots FOR EACH ROW EXECUTE FUNCTION market_keep_dates();

CREATE FUNCTION market_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION '% is never changed', TG_TABLE_NAME USING ERRCODE = 'check_violation', CONSTRAINT = 'never_changed';
END
$$;
CREATE TRIGGER market_refuse_change BEFORE UPDATE OR DELETE ON movements
    FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER market_refuse_change BEFORE UPDATE OR DELETE ON stock_moves
    FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER market_refuse_change BEFORE UPDATE OR DELETE ON lot_parts
    FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER market_refuse_change BEFORE UPDATE OR DELETE ON rule_books
    FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER market_refuse_delete BEFORE DELETE ON lots FOR EACH ROW EXECUTE FUNCTION market_refuse_change();

-- Parts are packed with the kit, not later: a kit that stands somewhere is closed.
CREATE FUNCTION market_close_kit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF EXISTS (SELECT FROM lot_balances WHERE lot_id = NEW.kit_id)
       OR NOT EXISTS (SELECT FROM lots AS kit JOIN lots AS part ON part.id = NEW.part_id
                      WHERE kit.id = NEW.kit_id AND kit.is_kit AND kit.fund_id = part.fund_id
                      AND kit.earmark_id IS NOT DISTINCT FROM part.earmark_id) THEN
        RAISE EXCEPTION 'kit % takes no such part', NEW.kit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_close_kit BEFORE INSERT ON lot_parts FOR EACH ROW EXECUTE FUNCTION market_close_kit();

-- Keeper, counters and approver are different people; who approves a disposal keeps the place no more than who counts.
CREATE FUNCTION market_three_people() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    people bigint[] := CASE TG_TABLE_NAME
        WHEN 'counts' THEN ARRAY[(to_jsonb(NEW) ->> 'first_by')::bigint, (to_jsonb(NEW) ->> 'second_by')::bigint,
                                 NEW.approved_by]
        ELSE ARRAY[NEW.approved_by] END;
    one bigint;
BEGIN
    FOREACH one IN ARRAY people LOOP
        IF market_is_keeper(NEW.facility_id, one, dispatch_now()) THEN
            RAISE EXCEPTION 'the keeper neither counts nor approves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'three_people';
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_three_people BEFORE INSERT OR UPDATE ON counts
    FOR EACH ROW EXECUTE FUNCTION market_three_people();
CREATE TRIGGER market_three_people BEFORE INSERT OR UPDATE ON disposals
    FOR EACH ROW EXECUTE FUNCTION market_three_people();

-- What the application may do.
GRANT SELECT, INSERT, UPDATE ON goods, facilities, keepers, handovers, counts, count_lines, inspections, disposals
    TO dispatch_app;
GRANT SELECT, INSERT ON rule_books, lots, lot_parts, stock_moves, movements, inspection_ticks, recalls TO dispatch_app;
GRANT UPDATE (expires_on, recall_id) ON lots TO dispatch_app;
GRANT SELECT ON lot_balances TO dispatch_app;
GRANT USAGE, SELECT ON SEQUENCE goods_id_seq, facilities_id_seq, keepers_id_seq, handovers_id_seq, rule_books_id_seq,
    lots_id_seq, stock_moves_id_seq, movements_id_seq, counts_id_seq, inspections_id_seq, disposals_id_seq,
    recalls_id_seq TO dispatch_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['goods', 'facilities', 'keepers', 'handovers', 'rule_books', 'lots', 'lot_parts',
        'stock_moves', 'movements', 'lot_balances', 'counts', 'count_lines', 'inspections', 'inspection_ticks',
        'disposals', 'recalls']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY reach ON %I USING ((SELECT current_setting(''dispatch.communities'', true)) = '
            '''*'' OR community_id = ANY ((SELECT string_to_array(nullif(current_setting('
            '''dispatch.communities'', true), ''*''), '',''))::bigint[]))', name);
    END LOOP;
END
$$;
