#include "tools/cnisim/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

constexpr auto kBetweenPrints = std::chrono::milliseconds(200);

}  // namespace

std::string FormatProgress(const ProgressFigures& f) {
  const double share =
      f.duration.count() == 0 ? 1 : std::clamp(ToSeconds(f.now) / ToSeconds(f.duration), 0.0, 1.0);
  const double wall = std::max(f.wall_seconds, 1e-3);
  const std::string eta =
      share > 0 ? DurationText(wall * (1 - share) / share, TextPrecision::kWholeSeconds) : "?";
  return fmt::format("{}sim {}/{} {:.0f}% · {:.1f} Mev/s · {}x real time · pods {} · ETA {}",
                     f.runs > 1 ? fmt::format("run {}/{} · ", f.runs_done, f.runs) : "",
                     ClockText(std::max(f.now, Duration(0))), ClockText(f.duration),
                     std::floor(100 * share), static_cast<double>(f.events) / wall / 1e6,
                     Grouped(std::llround(std::max(0.0, ToSeconds(f.now)) / wall)), Grouped(f.pods),
                     eta);
}

ProgressLine::ProgressLine(bool shown, int runs, Duration duration_of_all)
    : shown_(shown && ::isatty(STDERR_FILENO) != 0) {
  done_.runs = runs;
  done_.duration = duration_of_all;
}

void ProgressLine::Update(size_t run, const Progress& progress) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  running_[run] = progress;
  const auto now = WallClock::now();
  if (now - printed_ < kBetweenPrints) return;
  printed_ = now;
  Print();
}

void ProgressLine::Finish(size_t run, Duration simulated) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  const auto it = running_.find(run);
  if (it != running_.end()) {
    done_.events += it->second.events;
    running_.erase(it);
  }
  done_.now += simulated;
  ++done_.runs_done;
}

void ProgressLine::Print() {
  ProgressFigures figures = done_;
  figures.wall_seconds = std::chrono::duration<double>(WallClock::now() - start_).count();
  for (const auto& [run, progress] : running_) {
    figures.now += std::max(progress.now.time_since_epoch(), Duration(0));
    figures.events += progress.events;
    figures.pods += progress.pods_running;
  }
  Say("\r{}\033[K", FormatProgress(figures));
  std::fflush(stderr);
  visible_ = true;
}

void ProgressLine::Clear() {
  const std::lock_guard lock(mutex_);
  if (!visible_) return;
  Say("\r\033[K");
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace cnisim
