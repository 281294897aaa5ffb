#include "core/ports/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace cnisim {
namespace {

// GCC turns the transfer from task to task into a tail call only when it optimises.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
constexpr int kDeep = 300000;
#else
constexpr int kDeep = 300;
#endif

// Whoever awaits it waits until it is opened, and leaves the queue when destroyed.
class Gate {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Gate& gate) : gate_(gate) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (gate_.waiter_ == waiter_) gate_.waiter_ = nullptr;
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { gate_.waiter_ = waiter_ = waiter; }
    void await_resume() const noexcept {}

   private:
    Gate& gate_;
    std::coroutine_handle<> waiter_;
  };

  Awaiter Pass() { return Awaiter(*this); }
  bool waited_at() const { return static_cast<bool>(waiter_); }
  void Open() { std::exchange(waiter_, nullptr).resume(); }

 private:
  std::coroutine_handle<> waiter_;
};

// Counts its living instances.
struct Counted {
  explicit Counted(int& alive) : alive(&alive) { ++alive; }
  Counted(const Counted& other) : alive(other.alive) { ++*alive; }
  ~Counted() { --*alive; }
  int* alive;
};

Task<int> Immediate(int value) { co_return value; }

Task<std::unique_ptr<std::string>> MoveOnly(std::string text) {
  co_return std::make_unique<std::string>(std::move(text));
}

Task<int> Wait(Gate& gate, int value) {
  co_await gate.Pass();
  co_return value;
}

Task<int> Sum(Gate& gate, int depth, Counted counted) {
  const int below = depth == 0 ? co_await Wait(gate, 0) : co_await Sum(gate, depth - 1, counted);
  co_return below + 1;
}

Task<int> Deep(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await Deep(depth - 1);
  co_return below + 1;
}

Task<int> Loop(int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i) sum += co_await Immediate(1);
  co_return sum;
}

TEST(Task, BodyStartsWhenStarted) {
  bool ran = false;
  const auto body = [&ran]() -> Task<void> {
    ran = true;
    co_return;
  };
  Task<void> task = body();
  EXPECT_FALSE(ran);
  EXPECT_FALSE(task.done());
  task.Start();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(task.done());
}

TEST(Task, PassesValues) {
  const auto body = []() -> Task<std::string> {
    std::unique_ptr<std::string> text = co_await MoveOnly("a text that is too long to be inlined");
    const int number = co_await Immediate(7);
    co_return *text + std::to_string(number);
  };
  Task<std::string> task = body();
  task.Start();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeValue(), "a text that is too long to be inlined7");
}

TEST(Task, GoesOnWhereItWaited) {
  Gate gate;
  Task<int> task = Wait(gate, 5);
  task.Start();
  EXPECT_FALSE(task.done());
  EXPECT_TRUE(gate.waited_at());
  gate.Open();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeValue(), 5);
}

TEST(Task, DestroyingASuspendedChainDestroysAllOfIt) {
  Gate gate;
  int alive = 0;
  {
    Task<int> task = Sum(gate, 10, Counted(alive));
    task.Start();
    EXPECT_GE(alive, 11);  // one a frame, and arguments that are being awaited
    EXPECT_TRUE(gate.waited_at());
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(gate.waited_at());  // the awaiter has left
}

TEST(Task, AChainThatWaitsEndsWhenTheGateOpens) {
  Gate gate;
  int alive = 0;
  Task<int> task = Sum(gate, 10, Counted(alive));
  task.Start();
  gate.Open();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeValue(), 11);
  task = Task<int>();
  EXPECT_EQ(alive, 0);
}

TEST(Task, ATaskThatNeverStartedIsDestroyed) {
  Gate gate;
  int alive = 0;
  { const Task<int> task = Sum(gate, 10, Counted(alive)); }
  EXPECT_EQ(alive, 0);
}

TEST(Task, MovingKeepsTheFlow) {
  Gate gate;
  Task<int> first = Wait(gate, 3);
  first.Start();
  Task<int> second = std::move(first);
  EXPECT_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move)
  gate.Open();
  EXPECT_TRUE(second.done());
}

TEST(Task, DeepChainsUseConstantStack) {
  Task<int> task = Deep(kDeep);
  task.Start();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeValue(), kDeep);
}

TEST(Task, LongLoopsUseConstantStack) {
  Task<int> task = Loop(kDeep);
  task.Start();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.TakeValue(), kDeep);
}

}  // namespace
}  // namespace cnisim
