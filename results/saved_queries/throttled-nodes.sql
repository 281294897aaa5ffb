-- the 20 nodes whose EC2 requests were throttled most
SELECT a.run_id, n.name AS node, sum(a.throttled) AS throttled,
       sum(a.ok + a.throttled + a.failed) AS requests
FROM api_node a JOIN entity n ON n.run_id = a.run_id AND n.entity_id = a.node_id
GROUP BY a.run_id, a.node_id HAVING sum(a.throttled) > 0
ORDER BY throttled DESC, a.run_id, a.node_id LIMIT 20;
