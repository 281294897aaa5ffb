-- the fewest free addresses that each subnet ever had, and what was free at the end
SELECT run_id, entity AS subnet,
       CAST(max(value) FILTER (WHERE statistic = 'min') AS INTEGER) AS lowest_free,
       round(max(value) FILTER (WHERE statistic = 'min_at_seconds'), 3) AS at_seconds,
       CAST(max(value) FILTER (WHERE statistic = 'last') AS INTEGER) AS free_at_end
FROM scalar_named
WHERE metric = 'subnet_free_ips' AND entity IS NOT NULL
GROUP BY run_id, entity ORDER BY run_id, lowest_free, entity;
