-- Lists of findings are counted and ordered in an index that holds all that filters ask for: the rows
-- themselves are wide, and reading a hundred thousand of them to show fifty takes a second.
DROP INDEX findings_status;
CREATE INDEX findings_list ON findings (status, severity_rank, severity, account, region, kind, first_seen, type, stack);
CREATE INDEX findings_rank ON findings (severity_rank);
