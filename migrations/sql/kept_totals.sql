-- Totals are also kept by few things alone (all, area, kind, team, firm, kind and firm), so that a report over years
-- adds up few rows; heat by building, and by hour of the day. What is there already is added up once, here.

ALTER TABLE figure_totals
    ADD COLUMN kept_by VARCHAR NOT NULL DEFAULT 'each',
    ALTER COLUMN service_id DROP NOT NULL,
    DROP CONSTRAINT uq_figure_totals;
ALTER TABLE figure_totals
    ALTER COLUMN kept_by DROP DEFAULT,
    ADD CONSTRAINT ck_figure_totals_kept_by
        CHECK (kept_by IN ('all', 'area', 'kind', 'lead', 'accountable', 'firm', 'work', 'each')),
    ADD CONSTRAINT ck_figure_totals_knows_area_id CHECK (area_id IS NULL OR kept_by IN ('area', 'each')),
    ADD CONSTRAINT ck_figure_totals_knows_service_id CHECK (service_id IS NULL OR kept_by IN ('kind', 'work', 'each')),
    ADD CONSTRAINT ck_figure_totals_knows_lead_team_id CHECK (lead_team_id IS NULL OR kept_by IN ('lead', 'each')),
    ADD CONSTRAINT ck_figure_totals_knows_accountable_team_id
        CHECK (accountable_team_id IS NULL OR kept_by IN ('accountable', 'each')),
    ADD CONSTRAINT ck_figure_totals_knows_performer_id
        CHECK (performer_id IS NULL OR kept_by IN ('firm', 'work', 'each')),
    ADD CONSTRAINT ck_figure_totals_has_kind CHECK (service_id IS NOT NULL OR kept_by NOT IN ('kind', 'work', 'each')),
    ADD CONSTRAINT uq_figure_totals UNIQUE NULLS NOT DISTINCT
        (community_id, kept_by, grain, first_day, area_id, service_id, lead_team_id, accountable_team_id, performer_id);

INSERT INTO figure_totals (
    kept_by, community_id, grain, first_day, area_id, service_id, lead_team_id, accountable_team_id, performer_id,
    placed, answered, repeat_base, repeated, dispatched, returned, misrouted, overridden, to_sign, signed_in_time,
    offered, rounds, first_answered, first_accepted, accepted, accept_seconds, arrivals_due, arrived_in_time, due,
    due_closed, closed_in_time, answered_in_time, finished, closed, called, reopened, valued, contacted, solved,
    very_satisfied, satisfied, basically_satisfied, dissatisfied, very_dissatisfied)
SELECT
    CASE GROUPING(area_id, service_id, lead_team_id, accountable_team_id, performer_id)
        WHEN 31 THEN 'all' WHEN 15 THEN 'area' WHEN 23 THEN 'kind' WHEN 27 THEN 'lead' WHEN 29 THEN 'accountable'
        WHEN 30 THEN 'firm' WHEN 22 THEN 'work' END,
    community_id, grain, first_day, area_id, service_id, lead_team_id, accountable_team_id, performer_id,
    sum(placed), sum(answered), sum(repeat_base), sum(repeated), sum(dispatched), sum(returned), sum(misrouted),
    sum(overridden), sum(to_sign), sum(signed_in_time), sum(offered), sum(rounds), sum(first_answered),
    sum(first_accepted), sum(accepted), sum(accept_seconds), sum(arrivals_due), sum(arrived_in_time), sum(due),
    sum(due_closed), sum(closed_in_time), sum(answered_in_time), sum(finished), sum(closed), sum(called),
    sum(reopened), sum(valued), sum(contacted), sum(solved), sum(very_satisfied), sum(satisfied),
    sum(basically_satisfied), sum(dissatisfied), sum(very_dissatisfied)
FROM figure_totals
GROUP BY community_id, grain, first_day, GROUPING SETS (
    (), (area_id), (service_id), (lead_team_id), (accountable_team_id), (performer_id), (service_id, performer_id));

-- Nobody asks for building and hour together: the rows of both give way to those of each.
ALTER TABLE heat_totals
    ADD COLUMN kept_by VARCHAR,
    ALTER COLUMN hour DROP NOT NULL,
    DROP CONSTRAINT uq_heat_totals;
INSERT INTO heat_totals (kept_by, community_id, grain, first_day, area_id, building_id, hour, placed)
SELECT
    CASE GROUPING(area_id, building_id, hour) WHEN 1 THEN 'building' WHEN 2 THEN 'hour' END,
    community_id, grain, first_day, area_id, building_id, hour, sum(placed)
FROM heat_totals
GROUP BY community_id, grain, first_day, GROUPING SETS ((area_id, building_id), (area_id, hour));
DELETE FROM heat_totals WHERE kept_by IS NULL;
ALTER TABLE heat_totals
    ALTER COLUMN kept_by SET NOT NULL,
    ADD CONSTRAINT ck_heat_totals_kept_by CHECK (kept_by IN ('building', 'hour')),
    ADD CONSTRAINT ck_heat_totals_knows_building_id CHECK (building_id IS NULL OR kept_by IN ('building')),
    ADD CONSTRAINT ck_heat_totals_knows_hour CHECK ((kept_by = 'hour') = (hour IS NOT NULL)),
    ADD CONSTRAINT uq_heat_totals UNIQUE NULLS NOT DISTINCT
        (community_id, kept_by, grain, first_day, area_id, building_id, hour);
