-- Money that goes with a visit of 三访 is spending of a fund for party care, asked once for a visit.
ALTER TABLE condolences ADD COLUMN spending_id BIGINT;
ALTER TABLE condolences ADD CONSTRAINT fk_condolences_community_id_spending_id
    FOREIGN KEY (community_id, spending_id) REFERENCES spendings (community_id, id);
ALTER TABLE condolences ADD CONSTRAINT uq_condolences_spending_id UNIQUE (spending_id);
