-- every run of the file: status, virtual time, speed and fingerprint
SELECT run_id, scenario, iif(seed < 0, printf('%llu', seed), seed) AS seed, repetition, status, round(sim_ns / 1e9, 3) AS sim_seconds, events,
       round(wall_seconds, 3) AS wall_seconds, round(sim_ns / 1e9 / wall_seconds) AS times_real_time,
       peak_rss_bytes / 1048576 AS peak_rss_mib, fingerprint
FROM run ORDER BY run_id;
