-- The one clock. In production it is the machine's clock; `dispatch demo` replaces the body (demo_clock.sql).
-- STABLE, so that an index on a due time can be used; each statement reads it once.
CREATE OR REPLACE FUNCTION dispatch_now() RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS
$$ BEGIN RETURN clock_timestamp(); END $$;
