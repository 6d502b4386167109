-- What is over stays as it is; but that the order's work was done may still be heard once, after both have signed.
CREATE OR REPLACE FUNCTION market_keep_what_is_over() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    heard text[] := ARRAY['order_id', 'order_version']
        || CASE WHEN to_jsonb(OLD) ->> 'work_done_at' IS NULL THEN ARRAY['work_done_at'] ELSE ARRAY[]::text[] END;
BEGIN
    IF to_jsonb(NEW) - heard <> to_jsonb(OLD) - heard THEN
        RAISE EXCEPTION 'row % of % is over', OLD.id, TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'is_over';
    END IF;
    RETURN NEW;
END
$$;
