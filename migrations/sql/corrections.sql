-- What a death or a move did is undone only where two people have taken that event back, and after it was done.
CREATE INDEX ix_life_effects_subject ON life_effects (subject, subject_id);
ALTER TABLE life_effects ADD COLUMN undone BOOLEAN;
GRANT UPDATE (undone) ON life_effects TO dispatch_app;

CREATE FUNCTION life_corrected(of_subject text, of_id bigint, since timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$
    SELECT EXISTS (
        SELECT FROM life_effects JOIN life_events ON life_events.id = life_effects.event_id
        WHERE life_effects.subject = of_subject AND life_effects.subject_id = of_id
        AND life_events.withdrawn_at >= since
    )
$$;

-- An enrolment keeps whom and since when; once ended it stays so, unless the event that ended it was wrong.
CREATE OR REPLACE FUNCTION care_keep_enrolment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    most integer;
BEGIN
    IF (NEW.programme_id, NEW.starts_on, NEW.community_id)
       IS DISTINCT FROM (OLD.programme_id, OLD.starts_on, OLD.community_id)
       OR NEW.household_id IS DISTINCT FROM OLD.household_id OR NEW.resident_id IS DISTINCT FROM OLD.resident_id
       OR (OLD.ends_on IS NOT NULL AND (NEW.ends_on IS NOT NULL
           OR NOT life_corrected('enrolments', OLD.id, OLD.ended_at))) THEN
        RAISE EXCEPTION 'enrolment % is not rewritten', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.ends_on IS NOT NULL THEN
        SELECT places INTO most FROM programmes WHERE id = NEW.programme_id FOR UPDATE;
        IF most <= (SELECT count(*) FROM enrolments WHERE programme_id = NEW.programme_id AND ends_on IS NULL) THEN
            RAISE EXCEPTION 'programme % is full', NEW.programme_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_of_programme';
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- A period is due again when the enrolment with whose end it was excused goes on after all; the rest is as it was.
CREATE FUNCTION care_guard_return() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF (NEW.duty_id, NEW.number, NEW.name, NEW.starts_on, NEW.until, NEW.community_id)
       IS DISTINCT FROM (OLD.duty_id, OLD.number, OLD.name, OLD.starts_on, OLD.until, OLD.community_id)
       OR OLD.excuse_code NOT IN ('died', 'ended') OR OLD.approved_by IS NOT NULL OR NOT EXISTS (
        SELECT FROM duties JOIN enrolments ON enrolments.id = duties.enrolment_id
        WHERE duties.id = NEW.duty_id AND enrolments.ends_on IS NULL
    ) THEN
        RAISE EXCEPTION 'period % is %', OLD.id, OLD.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_of_period';
    END IF;
    RETURN NEW;
END
$$;
DROP TRIGGER care_guard_period ON duty_periods;
CREATE TRIGGER care_guard_new_period BEFORE INSERT ON duty_periods
    FOR EACH ROW EXECUTE FUNCTION care_guard_period();
CREATE TRIGGER care_guard_period BEFORE UPDATE ON duty_periods
    FOR EACH ROW WHEN (NOT (OLD.state = 'excused' AND NEW.state = 'due')) EXECUTE FUNCTION care_guard_period();
CREATE TRIGGER care_guard_return BEFORE UPDATE ON duty_periods
    FOR EACH ROW WHEN (OLD.state = 'excused' AND NEW.state = 'due') EXECUTE FUNCTION care_guard_return();

-- What was approved, and the card for it, hold again when they had ended with an event that was wrong.
DROP TRIGGER refuse_approval ON aid_applications;
CREATE TRIGGER refuse_approval BEFORE UPDATE ON aid_applications
    FOR EACH ROW WHEN (NOT (OLD.standing = 'ended' AND NEW.standing = 'approved'))
    EXECUTE FUNCTION refuse_approval();
CREATE FUNCTION refuse_revival() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF to_jsonb(NEW) - ARRAY['standing', 'ended_at', 'ended_by', 'version']
       <> to_jsonb(OLD) - ARRAY['standing', 'ended_at', 'ended_by', 'version']
       OR NOT life_corrected('aid_applications', OLD.id, OLD.ended_at) THEN
        RAISE EXCEPTION 'application % is decided', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_revival BEFORE UPDATE ON aid_applications
    FOR EACH ROW WHEN (OLD.standing = 'ended' AND NEW.standing = 'approved') EXECUTE FUNCTION refuse_revival();

CREATE OR REPLACE FUNCTION refuse_card() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF (TG_OP = 'INSERT' OR OLD.ended_at IS NOT NULL) AND NOT EXISTS (
        SELECT FROM aid_applications WHERE beneficiary_id = NEW.beneficiary_id AND standing = 'approved'
        AND (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date BETWEEN valid_from AND valid_until
    ) THEN
        RAISE EXCEPTION 'beneficiary % has no approval that holds today', NEW.beneficiary_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND ((NEW.token_hash, NEW.beneficiary_id, NEW.number)
        IS DISTINCT FROM (OLD.token_hash, OLD.beneficiary_id, OLD.number)
        OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NOT NULL
            OR OLD.ended_as <> 'over' OR NOT life_corrected('cards', OLD.id, OLD.ended_at))))
    THEN
        RAISE EXCEPTION 'card % stays what it is', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
