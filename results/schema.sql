-- Tables and views of a cnisim results file; SCHEMA.md explains them. Columns ending in _id are keys,
-- those ending in _ns are nanoseconds of virtual time since the start of the run.

CREATE TABLE run (
  run_id INTEGER PRIMARY KEY,
  scenario TEXT NOT NULL,
  seed INTEGER NOT NULL,
  repetition INTEGER NOT NULL,
  cell INTEGER NOT NULL,
  status TEXT NOT NULL,
  version TEXT NOT NULL,
  resolved_yaml TEXT NOT NULL,
  sim_ns INTEGER,
  measure_from_ns INTEGER NOT NULL,
  wall_seconds REAL,
  events INTEGER,
  peak_rss_bytes INTEGER,
  fingerprint TEXT
);

CREATE TABLE sweep (
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  cells INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  first_job INTEGER NOT NULL
);

CREATE TABLE run_param (
  run_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL
);

CREATE TABLE metric (
  metric_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  unit TEXT NOT NULL,
  help TEXT NOT NULL
);

CREATE TABLE entity (
  entity_id INTEGER NOT NULL,
  run_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  parent_id INTEGER
);

CREATE TABLE scalar (
  run_id INTEGER NOT NULL,
  entity_id INTEGER,
  metric_id INTEGER NOT NULL,
  statistic TEXT NOT NULL,
  value REAL NOT NULL
);

CREATE TABLE histogram (
  run_id INTEGER NOT NULL,
  entity_id INTEGER NOT NULL,
  metric_id INTEGER NOT NULL,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL,
  count INTEGER NOT NULL,
  censored INTEGER NOT NULL
);

CREATE TABLE series (
  run_id INTEGER NOT NULL,
  entity_id INTEGER NOT NULL,
  metric_id INTEGER NOT NULL,
  t0_ns INTEGER NOT NULL,
  t1_ns INTEGER NOT NULL,
  n INTEGER NOT NULL,
  data TEXT NOT NULL
);

CREATE TABLE node (
  run_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  instance_type TEXT NOT NULL,
  zone TEXT NOT NULL,
  subnet TEXT,
  max_pods INTEGER NOT NULL,
  joined_ns INTEGER NOT NULL,
  ready_ns INTEGER,
  removed_ns INTEGER
);

CREATE TABLE pod (
  run_id INTEGER NOT NULL,
  pod_id INTEGER NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  workload TEXT,
  node_id INTEGER,
  host_network INTEGER NOT NULL,
  eni_id TEXT,
  ip TEXT,
  created_ns INTEGER NOT NULL,
  scheduled_ns INTEGER,
  first_add_ns INTEGER,
  ip_assigned_ns INTEGER,
  running_ns INTEGER,
  deleted_ns INTEGER,
  add_attempts INTEGER NOT NULL,
  wait_reason TEXT NOT NULL
);

CREATE TABLE pool_change (
  run_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  enis INTEGER NOT NULL,
  total_ips INTEGER NOT NULL,
  assigned_ips INTEGER NOT NULL,
  cooling_ips INTEGER NOT NULL,
  prefixes INTEGER NOT NULL
);

CREATE TABLE address_history (
  run_id INTEGER NOT NULL,
  ip TEXT NOT NULL,
  pod_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  from_ns INTEGER NOT NULL,
  to_ns INTEGER
);

CREATE TABLE api_call (
  run_id INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  action TEXT NOT NULL,
  ok INTEGER NOT NULL,
  throttled INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  latency_seconds_sum REAL NOT NULL
);

CREATE TABLE api_node (
  run_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  action TEXT NOT NULL,
  ok INTEGER NOT NULL,
  throttled INTEGER NOT NULL,
  failed INTEGER NOT NULL
);

CREATE TABLE wait_reason (
  run_id INTEGER NOT NULL,
  workload TEXT NOT NULL,
  wait_reason TEXT NOT NULL,
  pods INTEGER NOT NULL
);

CREATE TABLE expectation (
  run_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  assert TEXT NOT NULL,
  severity TEXT NOT NULL,
  observed REAL,
  passed INTEGER NOT NULL
);

CREATE TABLE finding (
  run_id INTEGER NOT NULL,
  code TEXT NOT NULL,
  severity TEXT NOT NULL,
  time_ns INTEGER NOT NULL,
  text TEXT NOT NULL
);

CREATE TABLE latency (
  run_id INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  traffic TEXT NOT NULL,
  network TEXT NOT NULL,
  evaluated_by TEXT NOT NULL,
  saturated INTEGER NOT NULL,
  pairs INTEGER NOT NULL,
  lost_pairs INTEGER NOT NULL,
  lost_because TEXT,
  too_large_pairs INTEGER NOT NULL,
  requests_per_second REAL NOT NULL,
  gigabits_per_second REAL NOT NULL,
  mean_ns INTEGER NOT NULL,
  p50_ns INTEGER NOT NULL,
  p90_ns INTEGER NOT NULL,
  p99_ns INTEGER NOT NULL,
  p999_ns INTEGER NOT NULL,
  saturation_per_second REAL NOT NULL,
  bottleneck TEXT,
  bottleneck_utilisation REAL NOT NULL,
  client_cpu_ns REAL NOT NULL,
  server_cpu_ns REAL NOT NULL,
  payload_bytes REAL NOT NULL,
  wire_bytes REAL NOT NULL,
  wire_packets REAL NOT NULL
);

CREATE TABLE node_network (
  run_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  cpu_seconds_per_second REAL NOT NULL,
  wire_cpu_seconds_per_second REAL NOT NULL,
  busiest_cpu REAL NOT NULL,
  packets_per_second REAL NOT NULL,
  conntrack_entries REAL NOT NULL,
  ip_rules INTEGER NOT NULL,
  routes INTEGER NOT NULL,
  iptables_rules INTEGER NOT NULL
);

CREATE VIEW series_point AS
SELECT s.run_id, s.entity_id, s.metric_id,
       json_extract(p.value, '$[0]') AS time_ns, json_extract(p.value, '$[1]') AS value
FROM series s, json_each(s.data) p;

CREATE VIEW series_named AS
SELECT p.run_id, m.name AS metric, e.kind, e.name AS entity, p.time_ns / 1e9 AS time_seconds, p.value
FROM series_point p
JOIN metric m ON m.metric_id = p.metric_id
JOIN entity e ON e.run_id = p.run_id AND e.entity_id = p.entity_id;

CREATE VIEW scalar_named AS
SELECT s.run_id, m.name AS metric, m.unit, e.kind, e.name AS entity, s.statistic, s.value
FROM scalar s
JOIN metric m ON m.metric_id = s.metric_id
LEFT JOIN entity e ON e.run_id = s.run_id AND e.entity_id = s.entity_id;

CREATE VIEW histogram_named AS
SELECT h.run_id, m.name AS metric, e.kind, e.name AS entity,
       h.low_ns / 1e9 AS low_seconds, h.high_ns / 1e9 AS high_seconds, h.count, h.censored
FROM histogram h
JOIN metric m ON m.metric_id = h.metric_id
JOIN entity e ON e.run_id = h.run_id AND e.entity_id = h.entity_id;

CREATE VIEW pod_view AS
SELECT p.run_id, p.pod_id, p.namespace, p.name, p.workload, n.name AS node, p.eni_id, p.ip,
       p.created_ns / 1e9 AS created_seconds,
       (p.ip_assigned_ns - p.first_add_ns) / 1e9 AS ip_wait_seconds,
       (p.running_ns - p.created_ns) / 1e9 AS start_seconds,
       (p.deleted_ns - p.created_ns) / 1e9 AS life_seconds,
       p.add_attempts, p.wait_reason
FROM pod p
LEFT JOIN entity n ON n.run_id = p.run_id AND n.entity_id = p.node_id;

CREATE VIEW node_view AS
SELECT n.run_id, n.name, g.name AS node_group, n.instance_type, n.zone, n.subnet, n.max_pods,
       n.joined_ns / 1e9 AS joined_seconds,
       (n.ready_ns - n.joined_ns) / 1e9 AS ready_after_seconds,
       n.removed_ns / 1e9 AS removed_seconds
FROM node n
JOIN entity e ON e.run_id = n.run_id AND e.entity_id = n.node_id
LEFT JOIN entity g ON g.run_id = e.run_id AND g.entity_id = e.parent_id;

CREATE VIEW pool_view AS
SELECT c.run_id, n.name AS node, c.time_ns / 1e9 AS time_seconds, c.enis, c.total_ips,
       c.assigned_ips, c.cooling_ips, c.total_ips - c.assigned_ips - c.cooling_ips AS free_ips,
       c.prefixes
FROM pool_change c
JOIN entity n ON n.run_id = c.run_id AND n.entity_id = c.node_id;

CREATE VIEW address_view AS
SELECT a.run_id, a.ip, p.namespace, p.name AS pod, n.name AS node,
       a.from_ns / 1e9 AS from_seconds, a.to_ns / 1e9 AS to_seconds
FROM address_history a
JOIN pod p ON p.run_id = a.run_id AND p.pod_id = a.pod_id
LEFT JOIN entity n ON n.run_id = a.run_id AND n.entity_id = a.node_id;
