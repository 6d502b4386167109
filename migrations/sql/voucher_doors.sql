-- A key may act for a firm, and what a key asks for of vouchers is known as the key's.
ALTER TABLE api_keys ADD COLUMN performer_id BIGINT;
ALTER TABLE voucher_grants ADD COLUMN asked_by_key BIGINT,
    ADD CONSTRAINT fk_voucher_grants_asked_by_key FOREIGN KEY (asked_by_key) REFERENCES api_keys (id),
    ADD CONSTRAINT ck_voucher_grants_asker CHECK (num_nonnulls(asked_by, asked_by_key) <= 1);
ALTER TABLE voucher_refunds ADD COLUMN asked_by_key BIGINT,
    ADD CONSTRAINT fk_voucher_refunds_asked_by_key FOREIGN KEY (asked_by_key) REFERENCES api_keys (id),
    ADD CONSTRAINT ck_voucher_refunds_asker CHECK (num_nonnulls(asked_by, asked_by_key) <= 1);
ALTER TABLE voucher_settlements ADD COLUMN made_by_key BIGINT,
    ADD CONSTRAINT fk_voucher_settlements_made_by_key FOREIGN KEY (made_by_key) REFERENCES api_keys (id),
    ADD CONSTRAINT ck_voucher_settlements_maker CHECK (num_nonnulls(made_by, made_by_key) <= 1);

-- A voucher is of somebody who is enrolled, goes forward, and never changes its account; one that was frozen is thawed
-- while its person is in the register and its last day is not over.
CREATE OR REPLACE FUNCTION keep_voucher() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    today date := (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.state <> 'asked' OR NOT EXISTS (
        SELECT FROM enrolments JOIN programmes ON programmes.id = enrolments.programme_id
        WHERE enrolments.id = NEW.enrolment_id AND programmes.kind = 'voucher'
        AND enrolments.resident_id = NEW.resident_id
        AND (enrolments.ends_on IS NULL OR enrolments.ends_on > today)
    )) THEN
        RAISE EXCEPTION 'resident % is not enrolled for vouchers', NEW.resident_id USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('asked', 'open'), ('asked', 'void'),
            ('open', 'frozen'), ('frozen', 'open'), ('open', 'over'), ('frozen', 'over')))
        OR (OLD.earmark_id IS NOT NULL AND (OLD.number, OLD.earmark_id, OLD.entry_id)
            IS DISTINCT FROM (NEW.number, NEW.earmark_id, NEW.entry_id))
    ) THEN
        RAISE EXCEPTION 'voucher % does not become that', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) = ('frozen', 'open') AND (NEW.expires_on < today OR NOT EXISTS (
        SELECT FROM residents WHERE id = NEW.resident_id AND left_at IS NULL
    )) THEN
        RAISE EXCEPTION 'voucher % stays frozen', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
