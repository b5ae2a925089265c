-- Lists of findings are ordered inside the index as well: the tie-breaking id stands beside the rank.
DROP INDEX findings_list;
CREATE INDEX findings_list ON findings (status, severity_rank, id, severity, account, region, kind, first_seen, type, stack);
CREATE INDEX findings_open ON findings (severity_rank, id) WHERE status IN ('NEW', 'NOTIFIED');

-- Verdicts are counted in an index alone; a policy may have two judges of one resource.
DROP INDEX evaluations_policy;
CREATE INDEX evaluations_policy ON evaluations (policy, compliance, judge, resource_id, valid_to) WHERE valid_to IS NULL;

-- What a search looks into, beside the wide rows.  Triggers keep it, so that every writer does.
CREATE TABLE finding_texts (
  finding_id $big PRIMARY KEY,
  text $text NOT NULL
);

-- Resources are listed by type, the default order, without sorting all of them.
CREATE INDEX resources_type ON resources (type, id);
