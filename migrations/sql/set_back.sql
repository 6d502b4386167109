-- A parcel that was taken there and not handed over (nothing was left of the goods) is set back with a reason: it is
-- sent again, or the household is left out by somebody else than who set it back.
ALTER TABLE round_entries ADD COLUMN set_back VARCHAR, ADD COLUMN set_back_by BIGINT, ADD COLUMN excused_by BIGINT,
    ADD CONSTRAINT ck_round_entries_set_back CHECK (btrim(set_back) <> '' AND (set_back_by IS NULL OR set_back IS NOT NULL)),
    ADD CONSTRAINT ck_round_entries_second_look CHECK (excused_by <> set_back_by),
    ADD CONSTRAINT fk_round_entries_set_back_by FOREIGN KEY (set_back_by) REFERENCES users (id),
    ADD CONSTRAINT fk_round_entries_excused_by FOREIGN KEY (excused_by) REFERENCES users (id);
