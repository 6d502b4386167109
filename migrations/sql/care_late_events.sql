-- What was missed while nobody knew of a death or a hospital stay is excused with that event, without two people.
CREATE OR REPLACE FUNCTION care_guard_period() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    today date := (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'due' THEN
            RAISE EXCEPTION 'a period begins due' USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_of_period';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.duty_id, NEW.number, NEW.name, NEW.starts_on, NEW.until, NEW.community_id)
       IS DISTINCT FROM (OLD.duty_id, OLD.number, OLD.name, OLD.starts_on, OLD.until, OLD.community_id)
       OR (OLD.state IN ('met', 'excused') AND (NEW.state, NEW.contact_id, NEW.settled_on, NEW.excuse_code)
           IS DISTINCT FROM (OLD.state, OLD.contact_id, OLD.settled_on, OLD.excuse_code))
       OR (OLD.state = 'missed' AND NEW.state NOT IN ('missed', 'excused'))
       OR (OLD.state = 'missed' AND NEW.state = 'excused' AND NEW.approved_by IS NULL
           AND NEW.excuse_code NOT IN ('died', 'hospital')) THEN
        RAISE EXCEPTION 'period % is %', OLD.id, OLD.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_of_period';
    END IF;
    IF NEW.state = 'missed' AND OLD.state = 'due' AND NEW.until >= today THEN
        RAISE EXCEPTION 'period % is not over', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'steps_of_period';
    END IF;
    IF NEW.state = 'met' AND OLD.state = 'due' AND NOT EXISTS (
        SELECT FROM contacts
        JOIN duties ON duties.id = NEW.duty_id
        JOIN enrolments ON enrolments.id = duties.enrolment_id
        LEFT JOIN residents ON residents.id = enrolments.resident_id
        WHERE contacts.id = NEW.contact_id AND contacts.answered
        AND contacts.day BETWEEN NEW.starts_on AND NEW.until
        AND (contacts.household_id = coalesce(enrolments.household_id, residents.household_id)
             OR contacts.resident_id = enrolments.resident_id)
        AND (duties.kind <> 'live_test' OR contacts.tested)
    ) THEN
        RAISE EXCEPTION 'period % is not met by contact %', NEW.id, NEW.contact_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_of_period';
    END IF;
    IF NEW.state = 'excused' AND NEW.approved_by IS NULL AND NOT EXISTS (
        SELECT FROM duties JOIN enrolments ON enrolments.id = duties.enrolment_id
        LEFT JOIN absences ON absences.id = NEW.absence_id
        WHERE duties.id = NEW.duty_id AND CASE NEW.excuse_code
            WHEN 'hospital' THEN absences.kind = 'hospital' AND absences.starts_on <= NEW.until
                AND (absences.until IS NULL OR absences.until >= NEW.starts_on)
            ELSE enrolments.ends_on <= NEW.until + 1 AND (NEW.excuse_code = 'died') = (enrolments.end_code = 'died')
            END
    ) THEN
        RAISE EXCEPTION 'period % is excused by nothing', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'second_person';
    END IF;
    RETURN NEW;
END
$$;
