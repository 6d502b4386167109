-- What a household may take in a month is what the community's policies give to as many people as live there. The
-- application writes it and may not write more; where the policies or the household become smaller, the month stays.
CREATE FUNCTION market_hold_quota() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF NEW.allowed > policy_number(NEW.community_id, 'market.quota_points')
        + policy_number(NEW.community_id, 'market.quota_points_of_each_more') * greatest(0, -1 + (
            SELECT count(*) FROM residents WHERE household_id = NEW.household_id AND left_at IS NULL))
    THEN
        RAISE EXCEPTION 'household % is allowed less for %', NEW.household_id, NEW.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'quota_rule';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER market_hold_quota BEFORE INSERT ON household_months
    FOR EACH ROW EXECUTE FUNCTION market_hold_quota();
CREATE TRIGGER market_raise_quota BEFORE UPDATE OF allowed ON household_months
    FOR EACH ROW WHEN (NEW.allowed > OLD.allowed) EXECUTE FUNCTION market_hold_quota();
