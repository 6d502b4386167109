-- A donor who leaves an address for it is thanked by e-mail. Such a notice is to nobody of the house: its receiver's
-- address is sealed in `secret` and forgotten when it was sent.
ALTER TABLE donors ADD COLUMN email BYTEA;
ALTER TABLE notices DROP CONSTRAINT ck_notices_receiver;
ALTER TABLE notices ADD CONSTRAINT ck_notices_receiver CHECK (
    num_nonnulls(performer_id, user_id) = CASE template WHEN 'thanks' THEN 0 ELSE 1 END
    AND (template <> 'thanks' OR channel = 'email'));
