-- Views for people: what is open, what is there, what changed.
CREATE VIEW open_findings AS
SELECT severity, status, kind, title, message, account, region, type, identifier, stack, logical_id,
  subject, first_seen, last_seen, occurrences, changed_by, fingerprint
FROM findings WHERE status IN ('NEW', 'NOTIFIED');

CREATE VIEW accepted_findings AS
SELECT f.severity, f.title, f.account, f.region, f.type, f.identifier, f.subject, f.waiver,
  w.owner, w.approver, w.reason, w.expires_at
FROM findings f LEFT JOIN waivers w ON w.id = f.waiver WHERE f.status = 'SUPPRESSED';

CREATE VIEW non_compliant AS
SELECT e.policy, e.severity, r.account, r.region, r.type, r.identifier, r.stack, r.logical_id
FROM evaluations e JOIN resources r ON r.id = e.resource_id
WHERE e.valid_to IS NULL AND e.compliance = 'NON_COMPLIANT';
