-- how much of its pool each node used at most, and what it held at the end
WITH node_pool AS (
  SELECT run_id, node_id, max(rowid) AS last_row, count(*) AS changes, max(enis) AS most_enis,
         max(total_ips) AS most_ips, max(assigned_ips) AS most_assigned
  FROM pool_change GROUP BY run_id, node_id)
SELECT p.run_id, n.name AS node, p.changes, p.most_enis, p.most_ips, p.most_assigned,
       c.total_ips AS ips_at_end, c.assigned_ips AS assigned_at_end,
       round(c.time_ns / 1e9, 3) AS last_change_seconds
FROM node_pool p
JOIN pool_change c ON c.rowid = p.last_row
JOIN entity n ON n.run_id = p.run_id AND n.entity_id = p.node_id
ORDER BY p.run_id, p.node_id;
