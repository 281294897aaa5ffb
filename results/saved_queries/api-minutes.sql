-- EC2 requests minute by minute, all actions
SELECT run_id, minute, sum(ok) AS ok, sum(throttled) AS throttled, sum(failed) AS failed
FROM api_call GROUP BY run_id, minute ORDER BY run_id, minute;
