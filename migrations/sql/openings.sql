-- What was counted at a take-over waits for a second person like spending, where it is above the amount.
ALTER TABLE spendings ADD COLUMN counted JSONB,
    DROP CONSTRAINT ck_spendings_kind,
    ADD CONSTRAINT ck_spendings_kind CHECK (kind IN ('spend', 'given_back', 'reversal', 'opening')
        AND (kind = 'spend') = (purpose IS NOT NULL) AND (kind = 'reversal') = (reverses_id IS NOT NULL)
        AND (kind = 'opening') = (counted IS NOT NULL) AND (kind IN ('reversal', 'opening')) = (fund_id IS NULL)
        AND (kind = 'reversal') = (holding_id IS NULL)),
    ADD CONSTRAINT ck_spendings_counted CHECK (jsonb_typeof(counted) = 'array' AND jsonb_array_length(counted) > 0);

DROP INDEX ix_entries_alone;
CREATE INDEX ix_entries_alone ON entries (community_id, kind, purpose, posted_on)
    WHERE kind IN ('spend', 'given_back', 'opening') AND approved_by IS NULL;

-- What was booked is what was asked: the entry that is taken back, every fund and wish that was counted, the amount.
CREATE OR REPLACE FUNCTION refuse_other_spending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NOT EXISTS (
        SELECT FROM entries AS entry WHERE entry.id = NEW.entry_id AND entry.kind = NEW.kind
        AND entry.made_by IS NOT DISTINCT FROM NEW.asked_by AND entry.made_by_key IS NOT DISTINCT FROM NEW.asked_by_key
        AND entry.approved_by = NEW.decided_by AND entry.purpose IS NOT DISTINCT FROM NEW.purpose
        AND entry.reverses_id IS NOT DISTINCT FROM NEW.reverses_id
        AND (NEW.kind = 'reversal' OR entry.line_count = (
            SELECT count(*) FROM entry_lines AS line JOIN accounts AS account ON account.id = line.account_id
            JOIN jsonb_array_elements(coalesce(NEW.counted,
                jsonb_build_array(jsonb_build_array(NEW.fund_id, NEW.earmark_id, -NEW.amount_fen)))) AS one
                ON account.fund_id = (one ->> 0)::bigint AND line.amount = (one ->> 2)::bigint
                AND account.earmark_id IS NOT DISTINCT FROM (one ->> 1)::bigint
            WHERE line.entry_id = entry.id AND account.commodity = 'fen'
            AND coalesce(account.holding_id, NEW.holding_id) = NEW.holding_id)
            AND entry.line_count = 2 * coalesce(jsonb_array_length(NEW.counted), 1))
    ) THEN
        RAISE EXCEPTION 'entry % is not spending %', NEW.entry_id, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION fen_alone(community bigint, of_kind text, for_purpose text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT coalesce(abs(sum(line.amount)), 0)::bigint
    FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id
        JOIN accounts AS account ON account.id = line.account_id
    WHERE entry.community_id = community AND entry.kind = of_kind AND entry.kind IN ('spend', 'given_back', 'opening')
        AND entry.purpose IS NOT DISTINCT FROM for_purpose AND entry.approved_by IS NULL
        AND num_nonnulls(entry.made_by, entry.made_by_key) > 0
        AND entry.posted_on > (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date
            - coalesce(policy_number(community, 'funds.add_up_days'), 1)::integer
        AND account.side = 'custody' AND account.commodity = 'fen'
        AND NOT EXISTS (SELECT FROM entries AS back WHERE back.reverses_id = entry.id)
$$;

CREATE OR REPLACE FUNCTION refuse_unapproved_spending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF fen_moved(NEW.id) > 0
        AND fen_alone(NEW.community_id, NEW.kind, NEW.purpose) > approve_above(NEW.community_id) THEN
        RAISE EXCEPTION 'entry % needs a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER refuse_unapproved_spending ON entries;
CREATE CONSTRAINT TRIGGER refuse_unapproved_spending AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('spend', 'given_back', 'opening') AND NEW.approved_by IS NULL
        AND num_nonnulls(NEW.made_by, NEW.made_by_key) > 0)
    EXECUTE FUNCTION refuse_unapproved_spending();
