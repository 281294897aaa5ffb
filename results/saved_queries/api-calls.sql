-- EC2 requests by action: answers, throttles and mean latency
SELECT run_id, action, sum(ok) AS ok, sum(throttled) AS throttled, sum(failed) AS failed,
       round(1000 * sum(latency_seconds_sum) / sum(ok + throttled + failed), 1) AS mean_ms,
       max(ok + throttled + failed) AS busiest_minute
FROM api_call GROUP BY run_id, action ORDER BY run_id, action;
