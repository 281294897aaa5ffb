#include "sim/dataplane/event_evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "core/net/hash.h"
#include "sim/dataplane/station_load.h"
#include "sim/engine/event_queue.h"
#include "sim/engine/random.h"

namespace cnisim {
namespace {

constexpr int64_t kOutside = -1;
constexpr size_t kFetching = 8;

// A request, or a source's next one. The loop takes it from the queue itself and never fires it.
//
// One cache line, which the queue fetches ahead. All visits together are too many for a cache, so
// the next one is copied here, some events after its fetch began.
struct alignas(64) Job final : Timer {
  void Fire() override {}

  int64_t started = 0;
  int64_t arrived = kOutside;  // at the station, if it is at one
  uint64_t request = 0;        // its number in its class
  uint32_t class_index = 0;
  uint32_t station = 0;  // of the present visit
  uint32_t next_visit = 0;
  uint32_t end_visit = 0;
  Visit next;  // a copy, or its station is kNone: not copied yet
};
static_assert(sizeof(Job) == 64);

// In one cache line. Times and sums count from the window's start.
struct alignas(64) StationState {
  int64_t busy_until = 0;
  int64_t last_change = 0;
  int64_t area = 0;     // of `jobs` over time
  int64_t inside = 0;   // times of visits, each cut to the window
  int64_t sojourn = 0;  // times of visits that ended, whole
  int64_t busy = 0;     // service of visits that began
  uint64_t ended = 0;
  uint32_t jobs = 0;
  Station::Kind kind = Station::Kind::kQueue;
};
static_assert(sizeof(StationState) == 64);

struct ClassState {
  uint64_t scheduled = 0;  // requests since the beginning
  uint64_t ended = 0;      // in the window
};

struct GroupState {
  uint64_t ended = 0;
  int64_t latency = 0;
};

int64_t Later(int64_t time, int64_t duration) {
  return time > INT64_MAX - duration ? INT64_MAX : time + duration;
}

class EventEvaluator {
 public:
  EventEvaluator(const QueueNetwork& network, const EventSettings& settings);

  Result<Evaluation> Run();

 private:
  bool RunUntil(int64_t end);
  void Step(int64_t now, Job& job);
  bool Begin(int64_t now, Job& job);
  void Enter(int64_t now, Job& job);
  void Leave(int64_t now, const Job& job);
  void End(int64_t now, Job& job);
  void Schedule(int64_t now, uint32_t class_index, Job& job);
  void OpenWindow(int64_t now);
  void CloseWindow(int64_t now);
  bool LittlesLawHolds() const;
  Evaluation Tell() const;

  uint64_t Draw(const Job& job, uint64_t purpose) const {
    return KeyedDraw(settings_.seed, network_.classes[job.class_index].key, purpose, job.request);
  }
  Job& Allocate();

  // Begins to fetch job.next, and copies what was begun kFetching calls ago.
  void FetchNext(Job& job) {
    job.next.station = kNone;
    __builtin_prefetch(network_.visits.data() + job.next_visit);
    Job*& slot = fetching_[fetches_++ % kFetching];
    if (slot != nullptr) CopyNext(*slot);
    slot = &job;
  }
  void CopyNext(Job& job) const {
    if (job.next.station != kNone || job.next_visit == job.end_visit) return;
    job.next = network_.visits[job.next_visit];
  }

  const QueueNetwork& network_;
  const EventSettings& settings_;
  EventQueue queue_;
  std::vector<std::unique_ptr<Job[]>> blocks_;
  std::vector<Job*> free_;
  std::array<Job*, kFetching> fetching_{};
  uint64_t fetches_ = 0;
  std::vector<StationState> stations_;
  std::vector<ClassState> classes_;
  std::vector<GroupState> groups_;
  std::vector<LatencyHistogram> latencies_;  // as groups_
  int64_t window_start_ = 0;
  uint32_t open_requests_ = 0;  // under way
  uint64_t refused_ = 0;
};

constexpr size_t kJobsPerBlock = 1024;
constexpr uint64_t kEventsBetweenLooks = 1 << 16;
constexpr uint64_t kArrival = HashName("arrival");
constexpr uint64_t kThinking = HashName("thinking");
constexpr uint64_t kService = HashName("service");  // plus the visit's place in its class

EventEvaluator::EventEvaluator(const QueueNetwork& network, const EventSettings& settings)
    : network_(network),
      settings_(settings),
      stations_(network.stations.size()),
      classes_(network.classes.size()),
      groups_(network.groups.size()),
      latencies_(network.groups.size()) {
  for (size_t i = 0; i < stations_.size(); ++i) {
    stations_[i].kind = network.stations[i].kind;
  }
}

Job& EventEvaluator::Allocate() {
  if (free_.empty()) {
    blocks_.push_back(std::make_unique<Job[]>(kJobsPerBlock));
    for (size_t i = kJobsPerBlock; i-- > 0;) free_.push_back(&blocks_.back()[i]);
  }
  Job& job = *free_.back();
  free_.pop_back();
  return job;
}

// Makes `job` the class's next request: one arrives, or a user thinks, from now on.
void EventEvaluator::Schedule(int64_t now, uint32_t class_index, Job& job) {
  const RequestClass& c = network_.classes[class_index];
  job.arrived = kOutside;
  job.class_index = class_index;
  job.request = classes_[class_index].scheduled++;
  job.next_visit = c.first_visit;
  job.end_visit = c.first_visit + c.visit_count;
  FetchNext(job);
  int64_t delay = 0;
  if (const auto* open = std::get_if<OpenLoop>(&c.load)) {
    const double mean = 1e9 / open->requests_per_second;
    const double ns = -mean * std::log(1 - UnitDouble(Draw(job, kArrival)));
    delay = ns < 0x1p62 ? static_cast<int64_t>(ns + 0.5) : INT64_MAX;
  } else if (const uint32_t think = std::get<ClosedLoop>(c.load).think_time; think != kNone) {
    delay = network_.distributions[think].Sample(Draw(job, kThinking)).count();
  }
  job.started = Later(now, delay);
  queue_.Push(job.started, job);
}

// False if the request is refused; then the job is the next one already.
bool EventEvaluator::Begin(int64_t now, Job& job) {
  if (!std::holds_alternative<OpenLoop>(network_.classes[job.class_index].load)) return true;
  if (open_requests_ >= settings_.max_requests) {
    ++refused_;
    Schedule(now, job.class_index, job);
    return false;
  }
  ++open_requests_;
  Schedule(now, job.class_index, Allocate());
  return true;
}

void EventEvaluator::Enter(int64_t now, Job& job) {
  CopyNext(job);
  const Visit visit = job.next;
  int64_t service = visit.service_ns;
  if (visit.distribution != kNone) {
    const uint64_t place = job.next_visit - network_.classes[job.class_index].first_visit;
    const Distribution& random = network_.distributions[visit.distribution];
    service = Later(service, random.Sample(Draw(job, kService + place)).count());
  }
  ++job.next_visit;
  FetchNext(job);
  job.arrived = now;
  job.station = visit.station;
  StationState& station = stations_[visit.station];
  station.area += station.jobs * (now - station.last_change);
  station.last_change = now;
  ++station.jobs;
  if (station.kind == Station::Kind::kDelay) {
    queue_.Push(Later(now, service), job);
    return;
  }
  const int64_t begin = std::max(now, station.busy_until);
  station.busy_until = Later(begin, service);
  station.busy += station.busy_until - begin;
  queue_.Push(station.kind == Station::Kind::kPace ? begin : station.busy_until, job);
}

void EventEvaluator::Leave(int64_t now, const Job& job) {
  StationState& station = stations_[job.station];
  station.area += station.jobs * (now - station.last_change);
  station.last_change = now;
  --station.jobs;
  ++station.ended;
  station.sojourn += now - job.arrived;
  station.inside += now - std::max(job.arrived, window_start_);
}

void EventEvaluator::End(int64_t now, Job& job) {
  const RequestClass& c = network_.classes[job.class_index];
  GroupState& group = groups_[c.group];
  const int64_t latency = now - job.started;
  ++group.ended;
  ++classes_[job.class_index].ended;
  group.latency += latency;
  latencies_[c.group].Add(latency);
  if (std::holds_alternative<ClosedLoop>(c.load)) {
    Schedule(now, job.class_index, job);
    return;
  }
  --open_requests_;
  job.arrived = kOutside;
  free_.push_back(&job);
}

void EventEvaluator::Step(int64_t now, Job& job) {
  if (job.arrived == kOutside) {
    if (!Begin(now, job)) return;
  } else {
    Leave(now, job);
  }
  if (job.next_visit == job.end_visit) {
    End(now, job);
  } else {
    Enter(now, job);
  }
}

// False if it was interrupted.
bool EventEvaluator::RunUntil(int64_t end) {
  uint64_t events = 0;
  for (Event event; queue_.PopUntil(end, event);) {
    Step(event.time, static_cast<Job&>(*event.timer));
    if (++events % kEventsBetweenLooks != 0 || settings_.interrupt == nullptr) continue;
    if (settings_.interrupt->load(std::memory_order_relaxed)) return false;
  }
  return true;
}

void EventEvaluator::OpenWindow(int64_t now) {
  window_start_ = now;
  for (StationState& station : stations_) {
    station.last_change = now;
    station.area = station.inside = station.sojourn = 0;
    station.busy = std::max<int64_t>(0, station.busy_until - now);
    station.ended = 0;
  }
  std::fill(groups_.begin(), groups_.end(), GroupState());
  for (ClassState& c : classes_) c.ended = 0;
  std::fill(latencies_.begin(), latencies_.end(), LatencyHistogram());
  refused_ = 0;
}

void EventEvaluator::CloseWindow(int64_t now) {
  for (StationState& station : stations_) {
    station.area += station.jobs * (now - station.last_change);
    station.busy -= std::max<int64_t>(0, station.busy_until - now);
  }
  for (const auto& block : blocks_) {
    for (size_t i = 0; i < kJobsPerBlock; ++i) {
      const Job& job = block[i];
      if (job.arrived == kOutside) continue;
      stations_[job.station].inside += now - std::max(job.arrived, window_start_);
    }
  }
}

bool EventEvaluator::LittlesLawHolds() const {
  return std::ranges::all_of(stations_, [](const StationState& s) { return s.area == s.inside; });
}

Evaluation EventEvaluator::Tell() const {
  const auto window = static_cast<double>(settings_.window.count());
  Evaluation evaluation;
  evaluation.groups.resize(groups_.size());
  for (size_t i = 0; i < groups_.size(); ++i) {
    const auto ended = static_cast<double>(groups_[i].ended);
    GroupResult& result = evaluation.groups[i];
    result.requests_per_second = ended / window * 1e9;
    if (ended > 0) result.mean_latency_ns = static_cast<double>(groups_[i].latency) / ended;
    result.latency = latencies_[i];
  }
  evaluation.stations.resize(stations_.size());
  std::vector<double> utilisations;
  for (size_t i = 0; i < stations_.size(); ++i) {
    const StationState& station = stations_[i];
    const auto ended = static_cast<double>(station.ended);
    StationResult& result = evaluation.stations[i];
    result.utilisation = static_cast<double>(station.busy) / window;
    utilisations.push_back(result.utilisation);
    result.mean_jobs = static_cast<double>(station.area) / window;
    result.visits_per_second = ended / window * 1e9;
    if (ended > 0) result.mean_time_ns = static_cast<double>(station.sojourn) / ended;
  }
  for (const ClassState& c : classes_) {
    evaluation.class_rates.push_back(static_cast<double>(c.ended) / window * 1e9);
  }
  evaluation.bottleneck = FindBottleneck(network_, utilisations);
  evaluation.headroom = Headroom(network_, OfferedLoads(network_, ServiceTimes(network_)));
  evaluation.saturated = evaluation.headroom <= 1;
  evaluation.refused = refused_;
  return evaluation;
}

Result<Evaluation> EventEvaluator::Run() {
  for (uint32_t i = 0; i < network_.classes.size(); ++i) {
    uint32_t sources = 1;  // an open class has one pending arrival
    if (const auto* open = std::get_if<OpenLoop>(&network_.classes[i].load)) {
      if (open->requests_per_second == 0) continue;
    } else {
      sources = std::get<ClosedLoop>(network_.classes[i].load).population;
    }
    for (uint32_t n = 0; n < sources; ++n) Schedule(0, i, Allocate());
  }
  const int64_t warm_up = settings_.warm_up.count();
  const int64_t end = warm_up + settings_.window.count();
  const auto interrupted = [] { return Fail("Interrupted", "the evaluation was interrupted"); };
  if (!RunUntil(warm_up)) return interrupted();
  OpenWindow(warm_up);
  if (!RunUntil(end)) return interrupted();
  CloseWindow(end);
  if (!LittlesLawHolds()) return Fail("LittlesLaw", "Little's law does not hold: a mistake here");
  return Tell();
}

uint64_t CountUsers(const QueueNetwork& network) {
  uint64_t users = 0;
  for (const RequestClass& c : network.classes) {
    if (const auto* closed = std::get_if<ClosedLoop>(&c.load)) users += closed->population;
  }
  return users;
}

// Whether the sums of the times of so many requests at once fit.
bool WindowFits(const EventSettings& settings, uint64_t requests) {
  if (settings.warm_up < Duration::zero() || settings.window <= Duration::zero()) return false;
  const unsigned __int128 time = static_cast<unsigned __int128>(settings.warm_up.count()) +
                                 static_cast<unsigned __int128>(settings.window.count());
  return time <= INT64_MAX && time * requests <= INT64_MAX;
}

}  // namespace

Result<Evaluation> EvaluateByEvents(const QueueNetwork& network, const EventSettings& settings) {
  if (const Status status = Check(network); !status) return tl::unexpected(status.error());
  const uint64_t users = CountUsers(network);
  if (users > settings.max_requests) {
    return Fail("TooManyUsers", "closed classes have more users than there may be requests");
  }
  if (!WindowFits(settings, users + settings.max_requests)) {
    return Fail("InvalidWindow", "the window is empty, or too long for so many requests");
  }
  return EventEvaluator(network, settings).Run();
}

}  // namespace cnisim
