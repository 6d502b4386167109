-- What is taken back waits for a second person like spending, where one person may not take it back alone.
ALTER TABLE spendings ADD COLUMN reverses_id BIGINT,
    ALTER COLUMN fund_id DROP NOT NULL,
    ALTER COLUMN holding_id DROP NOT NULL,
    DROP CONSTRAINT ck_spendings_kind,
    DROP CONSTRAINT ck_spendings_amount,
    ADD CONSTRAINT ck_spendings_kind CHECK (kind IN ('spend', 'given_back', 'reversal')
        AND (kind = 'spend') = (purpose IS NOT NULL) AND (kind = 'reversal') = (reverses_id IS NOT NULL)
        AND num_nulls(fund_id, holding_id) = CASE kind WHEN 'reversal' THEN 2 ELSE 0 END),
    ADD CONSTRAINT ck_spendings_amount CHECK (amount_fen > 0 OR (kind = 'reversal' AND amount_fen = 0)),
    ADD CONSTRAINT fk_spendings_community_id_reverses_id FOREIGN KEY (community_id, reverses_id)
        REFERENCES entries (community_id, id);
CREATE UNIQUE INDEX ix_spendings_reversing ON spendings (reverses_id) WHERE state = 'asked';

-- What was booked is what was asked; what was taken back is what was asked to be.
CREATE OR REPLACE FUNCTION refuse_other_spending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NOT EXISTS (
        SELECT FROM entries AS entry WHERE entry.id = NEW.entry_id AND entry.kind = NEW.kind
        AND entry.made_by IS NOT DISTINCT FROM NEW.asked_by AND entry.made_by_key IS NOT DISTINCT FROM NEW.asked_by_key
        AND entry.approved_by = NEW.decided_by AND entry.purpose IS NOT DISTINCT FROM NEW.purpose
        AND entry.reverses_id IS NOT DISTINCT FROM NEW.reverses_id
        AND (NEW.kind = 'reversal' OR entry.line_count = 2 AND 2 = (
            SELECT count(*) FROM entry_lines AS line JOIN accounts AS account ON account.id = line.account_id
            WHERE line.entry_id = entry.id AND line.amount = -NEW.amount_fen AND account.commodity = 'fen'
            AND account.fund_id = NEW.fund_id AND account.earmark_id IS NOT DISTINCT FROM NEW.earmark_id
            AND coalesce(account.holding_id, NEW.holding_id) = NEW.holding_id))
    ) THEN
        RAISE EXCEPTION 'entry % is not spending %', NEW.entry_id, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

-- How many fen an entry moves: the most that comes or goes on one side of it.
CREATE FUNCTION fen_moved(entry bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT coalesce(max(total), 0) FROM (
        SELECT abs(sum(line.amount))::bigint AS total
        FROM entry_lines AS line JOIN accounts AS account ON account.id = line.account_id
        WHERE line.entry_id = entry AND account.commodity = 'fen' GROUP BY account.side, sign(line.amount)
    ) AS one
$$;

-- At commit: nobody takes back alone what they have written themselves, nor what is above the amount. Kits that
-- their keeper takes apart change nothing that is owed.
CREATE FUNCTION refuse_lonely_reversal() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF EXISTS (
        SELECT FROM entries AS first WHERE first.id = NEW.reverses_id AND first.kind <> 'kit' AND (
            (first.made_by, first.made_by_key) IS NOT DISTINCT FROM (NEW.made_by, NEW.made_by_key)
            OR fen_moved(first.id) > approve_above(NEW.community_id))
    ) THEN
        RAISE EXCEPTION 'reversal % needs a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse_lonely_reversal AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'reversal' AND NEW.approved_by IS NULL
        AND num_nonnulls(NEW.made_by, NEW.made_by_key) > 0)
    EXECUTE FUNCTION refuse_lonely_reversal();
