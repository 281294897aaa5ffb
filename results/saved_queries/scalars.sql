-- summary figures over all entities of a metric
SELECT run_id, metric, unit, statistic, value
FROM scalar_named WHERE entity IS NULL ORDER BY run_id, metric, statistic;
