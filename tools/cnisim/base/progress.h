// The progress line on a terminal:
// sim 03:12:44/06:00:00 53% · 8.1 Mev/s · 7,900x real time · pods 14,210 · ETA 4 s
//
// Thread-safe; runs in parallel threads share one line, which then begins with how many are done.
#ifndef CNISIM_TOOLS_CNISIM_BASE_PROGRESS_H_
#define CNISIM_TOOLS_CNISIM_BASE_PROGRESS_H_

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "sim/cluster/world.h"

namespace cnisim {

struct ProgressFigures {
  Duration now{};       // virtual time, summed over the runs
  Duration duration{};  // of all runs
  uint64_t events = 0;
  int64_t pods = 0;
  double wall_seconds = 0;
  int runs_done = 0;
  int runs = 1;
};
std::string FormatProgress(const ProgressFigures& figures);

class ProgressLine {
 public:
  // `shown` false: never prints. Otherwise only if standard error is a terminal.
  ProgressLine(bool shown, int runs, Duration duration_of_all);
  ~ProgressLine() { Clear(); }

  void Update(size_t run, const Progress& progress);
  void Finish(size_t run, Duration simulated);
  // Removes the line, e.g. before other output.
  void Clear();

 private:
  void Print();

  using WallClock = std::chrono::steady_clock;
  const bool shown_;
  const WallClock::time_point start_ = WallClock::now();
  std::mutex mutex_;
  ProgressFigures done_;
  std::map<size_t, Progress> running_;  // by run
  WallClock::time_point printed_{};
  bool visible_ = false;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_PROGRESS_H_
