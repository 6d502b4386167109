-- The clock of demo and tests: an offset and a rate over the machine's clock, from a row only the owner writes.
CREATE OR REPLACE FUNCTION dispatch_now() RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS
$$
DECLARE
    setting clock_settings;
    real_now timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO setting FROM clock_settings;
    IF setting.only_row IS NULL THEN
        RETURN real_now;
    END IF;
    RETURN setting.business_anchor + (real_now - setting.real_anchor) * setting.rate;
END
$$;
