-- how much of its pool each node used at most, and what it held at the end
SELECT run_id, node, max(total_ips) AS most_ips, max(assigned_ips) AS most_assigned,
       max(enis) AS most_enis, count(*) AS changes, total_ips AS total_at_end,
       assigned_ips AS assigned_at_end, max(time_seconds) AS last_change_seconds
FROM pool_view GROUP BY run_id, node ORDER BY run_id, node;
