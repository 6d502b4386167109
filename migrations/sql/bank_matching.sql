-- What a reconciliation asks of the journal is answered by indexes of few rows, however long the journal is.
CREATE INDEX ix_entries_opening ON entries (community_id, id) WHERE kind = 'opening';

-- A line of the bank may be several entries that come to the same; entries that no line has yet are kept by themselves.
ALTER TABLE bank_matches
    DROP CONSTRAINT pk_bank_matches,
    ADD CONSTRAINT pk_bank_matches PRIMARY KEY (bank_line_id, entry_id),
    ADD COLUMN by_hand BOOLEAN DEFAULT false NOT NULL;

CREATE TABLE bank_open_entries (
    holding_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    community_id BIGINT NOT NULL,
    reverses_id BIGINT,
    happened_on DATE NOT NULL,
    fen BIGINT NOT NULL,
    CONSTRAINT pk_bank_open_entries PRIMARY KEY (holding_id, entry_id),
    CONSTRAINT ck_bank_open_entries_fen CHECK (fen <> 0),
    CONSTRAINT fk_bank_open_entries_community_id_entry_id FOREIGN KEY (community_id, entry_id)
        REFERENCES entries (community_id, id),
    CONSTRAINT fk_bank_open_entries_community_id_holding_id FOREIGN KEY (community_id, holding_id)
        REFERENCES holdings (community_id, id),
    CONSTRAINT fk_bank_open_entries_community_id FOREIGN KEY (community_id) REFERENCES organisations (id)
);
CREATE INDEX ix_bank_open_entries_happened_on ON bank_open_entries (holding_id, happened_on, entry_id);
CREATE INDEX ix_bank_open_entries_reverses_id ON bank_open_entries (holding_id, reverses_id)
    WHERE reverses_id IS NOT NULL;
GRANT SELECT ON bank_open_entries TO dispatch_app;
ALTER TABLE bank_open_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach ON bank_open_entries USING (
    (SELECT current_setting('dispatch.communities', true)) = '*' OR community_id = ANY (
        (SELECT string_to_array(nullif(current_setting('dispatch.communities', true), '*'), ','))::bigint[])
);

INSERT INTO bank_open_entries (holding_id, entry_id, community_id, reverses_id, happened_on, fen)
SELECT account.holding_id, entry.id, entry.community_id, entry.reverses_id, entry.happened_on, sum(line.amount)::bigint
FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id
JOIN accounts AS account ON account.id = line.account_id AND account.holding_kind = 'bank'
LEFT JOIN entries AS original ON original.id = entry.reverses_id
WHERE entry.kind <> 'opening' AND original.kind IS DISTINCT FROM 'opening'
    AND NOT EXISTS (SELECT FROM bank_matches WHERE entry_id = entry.id AND holding_id = account.holding_id)
    AND CASE WHEN entry.reverses_id IS NULL
        THEN NOT EXISTS (SELECT FROM entries AS other WHERE other.reverses_id = entry.id)
        ELSE EXISTS (SELECT FROM bank_matches WHERE entry_id = entry.reverses_id AND holding_id = account.holding_id)
    END
GROUP BY entry.id, account.holding_id HAVING sum(line.amount) <> 0;

-- An entry that is whole is open at the banks that it touches; what is taken back before the bank has it is so no more.
CREATE FUNCTION open_at_bank() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    one record;
BEGIN
    IF NOT EXISTS (SELECT FROM new_lines JOIN accounts ON accounts.id = account_id WHERE holding_kind = 'bank') THEN
        RETURN NULL;
    END IF;
    FOR one IN
        SELECT entry.id, entry.community_id, entry.reverses_id, entry.happened_on, account.holding_id,
            sum(line.amount)::bigint AS fen
        FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id
        JOIN accounts AS account ON account.id = line.account_id AND account.holding_kind = 'bank'
        WHERE entry.id IN (SELECT entry_id FROM new_lines) AND entry.kind <> 'opening'
        AND entry.line_count = (SELECT count(*) FROM entry_lines WHERE entry_lines.entry_id = entry.id)
        AND NOT EXISTS (SELECT FROM entries AS other WHERE other.id = entry.reverses_id AND other.kind = 'opening')
        GROUP BY entry.id, account.holding_id HAVING sum(line.amount) <> 0
    LOOP
        DELETE FROM bank_open_entries WHERE holding_id = one.holding_id AND entry_id = one.reverses_id;
        IF NOT FOUND THEN
            INSERT INTO bank_open_entries (holding_id, entry_id, community_id, reverses_id, happened_on, fen)
                VALUES (one.holding_id, one.id, one.community_id, one.reverses_id, one.happened_on, one.fen);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER open_at_bank AFTER INSERT ON entry_lines REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION open_at_bank();

-- A line is of the account of its entries. What was confirmed stays; what was left open then may still find its entry.
CREATE OR REPLACE FUNCTION refuse_wrong_match() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    match bank_matches := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
    line record;
BEGIN
    SELECT statement.holding_id, statement.confirmed_at, statement.replaced_at INTO line FROM bank_lines
        JOIN bank_statements AS statement ON statement.id = bank_lines.statement_id WHERE bank_lines.id = match.bank_line_id;
    IF TG_OP <> 'INSERT' AND line.confirmed_at IS NOT NULL OR TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'the statement of line % is confirmed', match.bank_line_id USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF line.holding_id <> NEW.holding_id OR line.replaced_at IS NOT NULL THEN
        RAISE EXCEPTION 'line % is not of this account', NEW.bank_line_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- What has a line is open no more, and what has lost it is open again.
CREATE FUNCTION close_at_bank() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
BEGIN
    IF TG_OP = 'INSERT' THEN
        DELETE FROM bank_open_entries WHERE holding_id = NEW.holding_id AND entry_id = NEW.entry_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'entry % is not open at this bank', NEW.entry_id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END IF;
    INSERT INTO bank_open_entries (holding_id, entry_id, community_id, reverses_id, happened_on, fen)
    SELECT OLD.holding_id, entry.id, entry.community_id, entry.reverses_id, entry.happened_on, sum(line.amount)::bigint
    FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id
    JOIN accounts AS account ON account.id = line.account_id AND account.holding_id = OLD.holding_id
    WHERE entry.id = OLD.entry_id GROUP BY entry.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_at_bank AFTER INSERT OR DELETE ON bank_matches
    FOR EACH ROW EXECUTE FUNCTION close_at_bank();

-- At commit a line is worth what its entries come to at its account.
CREATE FUNCTION refuse_unequal_match() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS
$$
DECLARE
    about bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.bank_line_id ELSE NEW.bank_line_id END;
    worth numeric;
BEGIN
    SELECT sum(line.amount) INTO worth FROM bank_matches AS match
        JOIN entry_lines AS line ON line.entry_id = match.entry_id
        JOIN accounts AS account ON account.id = line.account_id AND account.holding_id = match.holding_id
        WHERE match.bank_line_id = about;
    IF worth <> (SELECT amount_fen FROM bank_lines WHERE id = about) THEN
        RAISE EXCEPTION 'line % is not its entries', about USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refuse_unequal_match AFTER INSERT OR DELETE ON bank_matches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unequal_match();
