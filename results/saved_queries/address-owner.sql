-- who had the address :ip at :at seconds of virtual time (leave out :at for its whole history)
-- parameters: :ip text, :at number or none
SELECT run_id, ip, namespace, pod, node, from_seconds, to_seconds
FROM address_view
WHERE ip = :ip
  AND (:at IS NULL
       OR (from_seconds <= CAST(:at AS REAL)
           AND (to_seconds IS NULL OR to_seconds > CAST(:at AS REAL))))
ORDER BY run_id, from_seconds;
