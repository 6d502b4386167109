-- Spending that nobody approved is added up: many sums just under the amount are one sum above it.
CREATE INDEX ix_entries_alone ON entries (community_id, kind, purpose, posted_on)
    WHERE kind IN ('spend', 'given_back') AND approved_by IS NULL;

-- A community's policy: its own, else the nearest above it.
CREATE FUNCTION policy_number(community bigint, wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT (policies.value #>> '{}')::bigint FROM policies JOIN organisations ON policies.organisation_id = ANY (path)
    WHERE organisations.id = community AND policies.key = wanted AND policies.valid_from <= dispatch_now()
    ORDER BY array_position(path, policies.organisation_id) DESC, policies.valid_from DESC, policies.id DESC LIMIT 1
$$;
CREATE OR REPLACE FUNCTION approve_above(community bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT policy_number(community, 'funds.approve_above_fen')
$$;

-- How many fen left a community by hand for one purpose within its days of adding up, approved by nobody and not
-- taken back, whoever booked them and from whichever fund.
CREATE FUNCTION fen_alone(community bigint, of_kind text, for_purpose text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT coalesce(abs(sum(line.amount)), 0)::bigint
    FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id
        JOIN accounts AS account ON account.id = line.account_id
    WHERE entry.community_id = community AND entry.kind = of_kind AND entry.kind IN ('spend', 'given_back')
        AND entry.purpose IS NOT DISTINCT FROM for_purpose AND entry.approved_by IS NULL
        AND num_nonnulls(entry.made_by, entry.made_by_key) > 0
        AND entry.posted_on > (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date
            - coalesce(policy_number(community, 'funds.add_up_days'), 1)::integer
        AND account.side = 'custody' AND account.commodity = 'fen'
        AND NOT EXISTS (SELECT FROM entries AS back WHERE back.reverses_id = entry.id)
$$;
GRANT EXECUTE ON FUNCTION fen_alone TO dispatch_app;

CREATE OR REPLACE FUNCTION refuse_unapproved_spending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF fen_alone(NEW.community_id, NEW.kind, NEW.purpose) > approve_above(NEW.community_id) THEN
        RAISE EXCEPTION 'entry % needs a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
