-- The stock of the love supermarket: before its tables, what a lot's dates mean.
-- Twin of rules/market/shelf.py: last_good_day. A stated day wins; months end on the same day, else the month's last.
CREATE FUNCTION market_last_good_day(produced_on date, life_amount integer, life_unit varchar, expires_on date)
    RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT coalesce(expires_on, CASE life_unit
        WHEN 'day' THEN produced_on + life_amount
        WHEN 'month' THEN (produced_on + make_interval(months => life_amount))::date END)
$$;

-- Twin of rules/market/shelf.py: refusal. Why a lot may not go this way on these days; NULL when it may.
CREATE FUNCTION market_refusal(
    is_food boolean, last_good_day date, received_on date, spot varchar, is_recalled boolean,
    kind varchar, signed_on date, today date, consumed_on date
) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE
        WHEN kind NOT IN ('hand_out', 'parcel', 'kit', 'shipment', 'sale', 'shelve', 'release') THEN NULL
        WHEN is_recalled THEN 'recalled'
        WHEN spot = 'quarantine' AND kind <> 'release' THEN 'quarantined'
        WHEN kind = 'shipment' AND consumed_on IS NULL THEN 'no_day_of_use'
        WHEN signed_on > today THEN 'signed_later'
        WHEN signed_on < received_on THEN 'not_yet_here'
        WHEN last_good_day IS NULL THEN CASE WHEN is_food THEN 'unknown_day' END
        WHEN greatest(today, consumed_on) > last_good_day THEN 'past'
    END
$$;

CREATE FUNCTION market_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date $$;
