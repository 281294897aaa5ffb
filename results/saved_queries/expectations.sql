-- every expectation with what was observed
SELECT run_id, name, assert, severity, observed, iif(passed, 'pass', 'FAIL') AS verdict
FROM expectation ORDER BY run_id, rowid;
