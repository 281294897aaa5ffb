-- Made when all rows are in. What tells rows apart comes first: that makes them quicker to build.
CREATE UNIQUE INDEX entity_by_id ON entity (run_id, entity_id);
CREATE INDEX entity_by_name ON entity (name);
CREATE UNIQUE INDEX run_param_by_key ON run_param (run_id, key);
CREATE UNIQUE INDEX scalar_by_metric ON scalar (metric_id, run_id, entity_id, statistic);
CREATE UNIQUE INDEX histogram_by_metric ON histogram (metric_id, run_id, entity_id, low_ns);
CREATE UNIQUE INDEX series_by_metric ON series (metric_id, run_id, entity_id, t0_ns);
CREATE UNIQUE INDEX node_by_id ON node (run_id, node_id);
CREATE UNIQUE INDEX pod_by_id ON pod (pod_id, run_id);
CREATE INDEX pod_by_name ON pod (name);
CREATE INDEX pool_change_by_node ON pool_change (node_id, run_id);
CREATE INDEX address_history_by_ip ON address_history (ip, run_id);
CREATE UNIQUE INDEX latency_by_traffic ON latency (run_id, traffic, time_ns);
CREATE UNIQUE INDEX node_network_by_node ON node_network (run_id, node_id, time_ns);
CREATE UNIQUE INDEX api_call_by_minute ON api_call (run_id, minute, action);
CREATE UNIQUE INDEX api_node_by_node ON api_node (run_id, node_id, action);
