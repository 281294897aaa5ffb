-- findings by code, with the first text of each
SELECT run_id, severity, code, count(*) AS times, min(time_ns) / 1e9 AS first_seconds, text AS first_text
FROM finding GROUP BY run_id, code ORDER BY run_id, severity, code;
