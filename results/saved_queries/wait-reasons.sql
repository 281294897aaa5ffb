-- why pods waited for their addresses, by workload
SELECT run_id, workload, wait_reason, pods,
       round(100.0 * pods / sum(pods) OVER (PARTITION BY run_id, workload), 1) AS percent
FROM wait_reason ORDER BY run_id, workload, pods DESC, wait_reason;
