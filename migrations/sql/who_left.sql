-- Nothing that is to come begins for who is in the register no more, nor for a home in which nobody lives: whoever
-- begins it waits for a death or a move that is being recorded, and is refused by it.
CREATE FUNCTION refuse_who_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    whose bigint := (to_jsonb(NEW) ->> 'resident_id')::bigint;
BEGIN
    IF whose IS NOT NULL THEN
        PERFORM FROM residents WHERE id = whose AND left_at IS NULL FOR SHARE;
    ELSE
        PERFORM FROM residents WHERE household_id = (to_jsonb(NEW) ->> 'household_id')::bigint AND left_at IS NULL
            ORDER BY id FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a row of % is for who has left', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'who_left';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse_who_left BEFORE INSERT ON enrolments FOR EACH ROW EXECUTE FUNCTION refuse_who_left();
CREATE TRIGGER refuse_who_left BEFORE INSERT ON visit_schedules FOR EACH ROW EXECUTE FUNCTION refuse_who_left();
CREATE TRIGGER refuse_who_left BEFORE INSERT ON care_group_members FOR EACH ROW EXECUTE FUNCTION refuse_who_left();
CREATE TRIGGER refuse_who_left BEFORE INSERT ON festival_invitations FOR EACH ROW EXECUTE FUNCTION refuse_who_left();
CREATE TRIGGER refuse_who_left BEFORE UPDATE ON alarm_devices FOR EACH ROW
    WHEN (OLD.resident_id IS NULL AND NEW.resident_id IS NOT NULL) EXECUTE FUNCTION refuse_who_left();
CREATE TRIGGER refuse_who_left BEFORE UPDATE ON vouchers FOR EACH ROW
    WHEN (OLD.state = 'asked' AND NEW.state = 'open') EXECUTE FUNCTION refuse_who_left();
