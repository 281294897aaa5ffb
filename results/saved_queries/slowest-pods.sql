-- the 20 pods that waited longest for an address; a pod that never got one comes first
SELECT run_id, namespace, name, node, ip, round(created_seconds, 3) AS created_seconds,
       round(ip_wait_seconds, 3) AS ip_wait_seconds, add_attempts, wait_reason
FROM pod_view
WHERE add_attempts > 0
ORDER BY ip_wait_seconds IS NOT NULL, pod_view.ip_wait_seconds DESC, run_id, pod_id LIMIT 20;
