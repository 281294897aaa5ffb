// Evaluates a queue network by queueing theory: no simulation, no randomness, linear time.
//
// Requests of all classes together are taken to come to each station as a Poisson process, and
// waits at a request's stations to be independent (waiting.h). A latency's mean and variance then
// are sums over its visits; its distribution is taken as its fixed part plus a gamma-distributed
// time. Without random services, those who need not wait anywhere have the fixed part alone.
//  - Exact: M/M/1, and tandems of equally fast M/M/1; means of M/G/1; utilisations, headroom and
//    throughputs of open classes.
//  - Approximate: all else. In random networks of few, different classes, busiest queue at 40 to
//    70 %, means differ from those by events by 2 % on average, 99th percentiles by 4 %; worse
//    where a request visits one busy queue several times (what it delayed, it meets again) and
//    where constant services follow in a row (the first queue spaces requests for the second).
//    analytic_evaluation_test.cc has the figures, of closed classes too. Where a random service
//    dominates, quantiles are only as near as a gamma distribution is to it.
// Visits in a row to one queue wait anew for each, by events as well; merge them if one service is
// meant.
//
// Where open classes offer a queue more than it can do, their latencies there are infinite and
// their throughputs are cut in proportion; other stations are told as if nothing were cut. Closed
// classes that visit such a queue get nothing done.
//
// Cost: O(visits + 80 classes + 7,000 groups), with closed classes times the iterations of
// waiting.h. Memory: 120 bytes a station, 120 a closed class, 120 kB a group at most.
#ifndef CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_
#define CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_

#include <atomic>

#include "core/ports/result.h"
#include "sim/dataplane/evaluation.h"
#include "sim/dataplane/queue_network.h"

namespace cnisim {

// Codes "InvalidQueueNetwork", see Check, and
// "Interrupted" if `interrupt` becomes true.
Result<Evaluation> EvaluateAnalytically(const QueueNetwork& network,
                                        const std::atomic<bool>* interrupt = nullptr);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_
