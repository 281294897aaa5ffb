// Evaluates a queue network by queueing theory: no simulation, no randomness, linear time.
//
// Requests of all classes together are taken to come to each station as a Poisson process, and
// waits at a request's stations to be independent. A latency's mean and variance then are sums
// over its visits; its distribution is taken as its fixed part plus a gamma-distributed time.
//  - Exact: means of requests that visit one queue, M/G/1; all of M/M/1, and of tandems of M/M/1 of
//    equal speed; utilisations, headroom, throughputs of open classes.
//  - Approximate: all else; analytic_evaluation_test.cc holds it against evaluations by events and
//    states the differences. Fixed services in a row (a request is not delayed at the second of two
//    equal queues) make it pessimistic.
//  - Closed classes: see waiting.h.
// Where open classes offer a queue more than it can do, their latencies there are infinite and
// throughputs are cut in proportion; other stations are told as if nothing were cut.
//
// Cost: O(visits + classes * 500 histogram buckets), with closed classes times the iterations of
// waiting.h. Memory: 100 bytes a station, 60 a closed class.
#ifndef CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_
#define CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_

#include "core/ports/result.h"
#include "sim/dataplane/evaluation.h"
#include "sim/dataplane/queue_network.h"

namespace cnisim {

// Code "InvalidQueueNetwork"; see Check.
Result<Evaluation> EvaluateAnalytically(const QueueNetwork& network);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_ANALYTIC_EVALUATION_H_
