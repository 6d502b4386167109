-- Named accounts (decision 0010, 11): what is kept for a person by a voucher, and what is owed to a firm that took some.
ALTER TABLE earmarks ADD COLUMN kind VARCHAR DEFAULT 'wish' NOT NULL;
ALTER TABLE earmarks ADD CONSTRAINT ck_earmarks_kind
    CHECK (kind IN ('wish', 'voucher', 'payee') AND (kind = 'wish' OR purposes = ARRAY['voucher']::text[]));
INSERT INTO entry_kinds (kind, shape, for_a_purpose) VALUES
    ('grant', 'earmarks', true),
    ('redeem', 'earmarks', false),
    ('lapse', 'earmarks', false);

-- At commit: named accounts are touched by nothing but their own kinds, from one sort to the next within one fund; a
-- firm is paid what two people agreed on, and a reversal takes back whatever was.
CREATE FUNCTION refuse_misused_claim() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    named record;
BEGIN
    SELECT count(DISTINCT account.fund_id) AS funds,
        coalesce(min(earmark.kind) FILTER (WHERE line.amount < 0), 'wish') AS origin,
        coalesce(min(earmark.kind) FILTER (WHERE line.amount > 0), 'wish') AS target,
        count(*) FILTER (WHERE earmark.kind = 'voucher') AS vouchers,
        count(*) FILTER (WHERE earmark.kind = 'payee') AS payees, count(*) AS lines
        INTO named FROM entry_lines AS line JOIN accounts AS account ON account.id = line.account_id
        LEFT JOIN earmarks AS earmark ON earmark.id = account.earmark_id
        WHERE line.entry_id = NEW.id AND account.side = 'custody';
    IF NOT (CASE NEW.kind
        WHEN 'grant' THEN named.funds = 1 AND named.origin = 'wish' AND named.target = 'voucher'
        WHEN 'redeem' THEN named.funds = 1 AND named.origin = 'voucher' AND named.target = 'payee'
        WHEN 'lapse' THEN named.funds = 1 AND named.origin = 'voucher' AND named.target = 'wish'
        WHEN 'spend' THEN named.vouchers = 0
            AND (named.payees = 0 OR (named.payees = named.lines AND NEW.approved_by IS NOT NULL))
        ELSE named.vouchers + named.payees = 0
    END) THEN
        RAISE EXCEPTION 'entry % may not touch a named account', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse_misused_claim AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind <> 'reversal') EXECUTE FUNCTION refuse_misused_claim();
