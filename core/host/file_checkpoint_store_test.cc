#include "core/host/file_checkpoint_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/ipam/checkpoint_json.h"
#include "core/ipam/datastore.h"

namespace cnisim {
namespace {

constexpr CivilEpoch kEpoch{1'767'323'045'000'000'000};

enum class Step { kMake, kWrite, kSync, kClose, kRename, kRemove, kRead };

// The real operations, before each of which the test may step in. It returns how many bytes to
// write at most, or the -errno to fail with, or does not return at all.
class Watched final : public PosixFileOps {
 public:
  using Hook = std::function<long(Step, size_t size)>;
  explicit Watched(Hook hook) : hook_(std::move(hook)) {}

  int MakeTemporary(std::string& path) override {
    const int failed = Ask(Step::kMake);
    return failed < 0 ? failed : PosixFileOps::MakeTemporary(path);
  }
  long Write(int fd, std::string_view data) override {
    const long allowed = hook_(Step::kWrite, data.size());
    return allowed < 0 ? allowed
                       : PosixFileOps::Write(fd, data.substr(0, static_cast<size_t>(allowed)));
  }
  // Does not sync: processes die here, not machines.
  int Sync(int) override { return Ask(Step::kSync); }
  int Close(int fd) override {
    const int failed = Ask(Step::kClose);
    const int closed = PosixFileOps::Close(fd);
    return failed < 0 ? failed : closed;
  }
  int Rename(const std::string& from, const std::string& to) override {
    const int failed = Ask(Step::kRename);
    return failed < 0 ? failed : PosixFileOps::Rename(from, to);
  }
  int Remove(const std::string& path) override {
    const int failed = Ask(Step::kRemove);
    return failed < 0 ? failed : PosixFileOps::Remove(path);
  }
  int Read(const std::string& path, std::string& data) override {
    const int failed = Ask(Step::kRead);
    return failed < 0 ? failed : PosixFileOps::Read(path, data);
  }

 private:
  int Ask(Step step) { return static_cast<int>(std::min(hook_(step, 0), 0L)); }
  Hook hook_;
};

class Book final : public AllocationSource {
 public:
  std::vector<Allocation> AllAllocations() const override { return allocations; }
  std::vector<Allocation> allocations;
};

using History = std::vector<std::vector<Allocation>>;

// States of a node's book, each one pod more or less than the one before; the first is empty.
History RandomHistory(uint32_t seed, int changes) {
  std::mt19937 random(seed);
  History history{{}};
  for (int i = 1; i <= changes; ++i) {
    std::vector<Allocation> next = history.back();
    if (next.empty() || random() % 3 != 0) {
      const std::string name = "web-" + std::to_string(i);
      next.push_back({{"aws-cni", "c" + std::to_string(random()), "eth0"},
                      Ipv4Address(10, 0, 0, static_cast<uint8_t>(i)),
                      kTimeZero + std::chrono::seconds(i),
                      {"default", name, 1}});
    } else {
      next.erase(next.begin() + static_cast<ptrdiff_t>(random() % next.size()));
    }
    history.push_back(std::move(next));
  }
  return history;
}

Status SaveState(FileCheckpointStore& store, const std::vector<Allocation>& state) {
  Book book;
  book.allocations = state;
  return store.Save({}, book);
}

class FileCheckpointStoreTest : public testing::Test {
 protected:
  FileCheckpointStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cnisim-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    path_ = (directory_ / "ipam.json").string();
  }
  ~FileCheckpointStoreTest() override { std::filesystem::remove_all(directory_); }

  FileCheckpointStore StoreOver(FileOps& files) const { return {path_, kEpoch, files}; }

  // What a restarted agent finds; nullopt for a fresh node.
  std::optional<std::vector<Allocation>> Loaded() {
    PosixFileOps files;
    const auto loaded = StoreOver(files).Load();
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message;
      return std::nullopt;
    }
    return *loaded;
  }

  std::vector<std::string> FileNames() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  void Clear() {
    for (const std::string& name : FileNames()) std::filesystem::remove_all(directory_ / name);
  }

  // Runs `history` in a child process that dies where `hook` makes it; true if it died there.
  bool RunAndDie(const History& history, const Watched::Hook& hook) {
    const pid_t child = fork();
    if (child == 0) {
      Watched files(hook);
      FileCheckpointStore store = StoreOver(files);
      for (size_t i = 1; i < history.size(); ++i) {
        if (!SaveState(store, history[i])) _exit(2);
      }
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_NE(WEXITSTATUS(status), 2);
    return WEXITSTATUS(status) == kKilled;
  }

  static constexpr int kKilled = 9;
  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(FileCheckpointStoreTest, AFreshNodeHasNone) { EXPECT_EQ(Loaded(), std::nullopt); }

TEST_F(FileCheckpointStoreTest, HoldsTheLastStateInOneFileOfMode0600) {
  PosixFileOps files;
  FileCheckpointStore store = StoreOver(files);
  for (const auto& state : RandomHistory(1, 20)) {
    ASSERT_TRUE(SaveState(store, state));
    EXPECT_EQ(Loaded(), state);
    EXPECT_EQ(FileNames(), std::vector<std::string>{"ipam.json"});
    struct stat info {};
    ASSERT_EQ(stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
  }
}

// The order that makes it safe.
TEST_F(FileCheckpointStoreTest, SyncsBeforeItRenames) {
  std::vector<Step> steps;
  Watched files([&](Step step, size_t size) {
    steps.push_back(step);
    return static_cast<long>(size);
  });
  FileCheckpointStore store = StoreOver(files);
  ASSERT_TRUE(SaveState(store, RandomHistory(1, 3).back()));
  EXPECT_EQ(steps,
            (std::vector{Step::kMake, Step::kWrite, Step::kSync, Step::kClose, Step::kRename}));
}

// Killed before any step of any change: the state is that before the change or, had it been
// renamed, the one after it. Five steps a change, so the step tells which change was in flight.
TEST_F(FileCheckpointStoreTest, SurvivesBeingKilledAtEveryStep) {
  constexpr int kStepsPerSave = 5;
  for (uint32_t seed = 0; seed < 3; ++seed) {
    const History history = RandomHistory(seed, 8);
    const int steps = kStepsPerSave * static_cast<int>(history.size() - 1);
    for (int kill_at = 0; kill_at <= steps; ++kill_at) {
      Clear();
      int step = 0;
      const bool killed = RunAndDie(history, [&](Step, size_t size) {
        if (step++ == kill_at) _exit(kKilled);
        return static_cast<long>(size);
      });
      ASSERT_EQ(killed, kill_at < steps);
      const auto done = static_cast<size_t>(kill_at / kStepsPerSave);
      if (done == 0) {
        ASSERT_EQ(Loaded(), std::nullopt) << kill_at;
      } else {
        ASSERT_EQ(Loaded(), history[done]) << kill_at;
      }
      // At most the file in flight is left over, and it is in nobody's way.
      ASSERT_LE(FileNames().size(), 2u);
      PosixFileOps files;
      FileCheckpointStore store = StoreOver(files);
      ASSERT_TRUE(SaveState(store, history[1]));
      ASSERT_EQ(Loaded(), history[1]);
    }
  }
}

// Killed after writing n bytes of a change, for every n.
TEST_F(FileCheckpointStoreTest, SurvivesBeingKilledAfterEveryByte) {
  const History history = RandomHistory(5, 3);
  const size_t length = FormatCheckpoint(history[3], kEpoch).size();
  for (size_t n = 0; n <= length; ++n) {
    Clear();
    int save = 0;
    bool cut = false;
    const bool killed = RunAndDie(history, [&](Step step, size_t size) {
      if (cut) _exit(kKilled);
      if (step == Step::kWrite && ++save == 3) {
        cut = true;
        return static_cast<long>(n);
      }
      return static_cast<long>(size);
    });
    ASSERT_TRUE(killed);
    ASSERT_EQ(Loaded(), history[2]) << n;
  }
}

// A disk that takes a few bytes at a time is no failure.
TEST_F(FileCheckpointStoreTest, GoesOnAfterAPartialWriteOfAnyLength) {
  const auto state = RandomHistory(7, 4).back();
  const size_t length = FormatCheckpoint(state, kEpoch).size();
  for (size_t n = 1; n <= length; ++n) {
    Watched files([&](Step, size_t size) { return static_cast<long>(std::min(size, n)); });
    FileCheckpointStore store = StoreOver(files);
    ASSERT_TRUE(SaveState(store, state));
    ASSERT_EQ(Loaded(), state) << n;
  }
}

TEST_F(FileCheckpointStoreTest, AFailureAtAnyStepLeavesTheOldFileAndNoOther) {
  const auto before = RandomHistory(9, 4).back();
  const auto after = RandomHistory(9, 5).back();
  PosixFileOps good;
  FileCheckpointStore reliable = StoreOver(good);
  for (const Step failing : {Step::kMake, Step::kWrite, Step::kSync, Step::kClose, Step::kRename}) {
    for (const int error : {ENOSPC, EACCES, EROFS, EIO, EDQUOT, EMFILE, 0}) {
      // A write fails at once, or when half is written; one that writes nothing is no endless loop.
      for (const bool half : {false, true}) {
        if (failing != Step::kWrite && (half || error == 0)) continue;
        ASSERT_TRUE(SaveState(reliable, before));
        bool first = true;
        Watched files([&](Step step, size_t size) {
          if (step != failing) return static_cast<long>(size);
          if (half && std::exchange(first, false)) return static_cast<long>(size / 2);
          return -static_cast<long>(error);
        });
        FileCheckpointStore store = StoreOver(files);
        const Status saved = SaveState(store, after);
        ASSERT_FALSE(saved);
        EXPECT_EQ(saved.error().code, FileCheckpointStore::kErrorCode);
        EXPECT_NE(saved.error().message.find(path_), std::string::npos) << saved.error().message;
        EXPECT_EQ(Loaded(), before);
        EXPECT_EQ(FileNames(), std::vector<std::string>{"ipam.json"});
      }
    }
  }
  ASSERT_TRUE(SaveState(reliable, after));
  EXPECT_EQ(Loaded(), after);
}

TEST_F(FileCheckpointStoreTest, ReportsWhatTheSystemRefuses) {
  PosixFileOps files;
  FileCheckpointStore nowhere((directory_ / "absent" / "ipam.json").string(), kEpoch, files);
  EXPECT_FALSE(SaveState(nowhere, {}));
  ASSERT_TRUE(nowhere.Load());
  EXPECT_EQ(*nowhere.Load(), std::nullopt);

  // A directory in its place can be neither read nor renamed over.
  std::filesystem::create_directory(path_);
  FileCheckpointStore store = StoreOver(files);
  EXPECT_FALSE(SaveState(store, {}));
  EXPECT_FALSE(store.Load());
  EXPECT_EQ(FileNames(), std::vector<std::string>{"ipam.json"});
}

TEST_F(FileCheckpointStoreTest, RefusesToLoadWhatIsNoCheckpoint) {
  PosixFileOps files;
  for (const char* content : {"", "{", "{\"version\":\"vpc-cni-ipam/2\"}"}) {
    std::ofstream(path_) << content;
    const auto loaded = StoreOver(files).Load();
    ASSERT_FALSE(loaded) << content;
    EXPECT_NE(loaded.error().message.find(path_), std::string::npos);
  }
  Watched unreadable([](Step, size_t) { return -static_cast<long>(EACCES); });
  EXPECT_FALSE(StoreOver(unreadable).Load());
}

// Under the datastore: what a restarted agent restores is what the last one held, also after
// changes that failed because the disk was full.
TEST_F(FileCheckpointStoreTest, CarriesADatastoreOverARestart) {
  std::mt19937 random(11);
  bool full = false;
  Watched files([&](Step step, size_t size) {
    return full && step == Step::kWrite ? -static_cast<long>(ENOSPC) : static_cast<long>(size);
  });
  FileCheckpointStore store = StoreOver(files);
  Datastore::Config config;
  config.mode = PoolMode::kPrefixes;
  config.ip_cooldown = Duration(0);
  EniAttributes eni;
  eni.id = "eni-1";
  const auto make = [&] {
    auto datastore = std::make_unique<Datastore>(config, store, Choice::Oldest(), nullptr);
    EXPECT_TRUE(datastore->AddEni(eni, kTimeZero));
    EXPECT_TRUE(datastore->AddCidr(eni.id, Ipv4Cidr(Ipv4Address(10, 0, 0, 16), 28)));
    return datastore;
  };
  const auto by_key = [](const Datastore& datastore) {
    std::map<IpamKey, Allocation> result;
    for (const Allocation& a : datastore.AllAllocations()) result.emplace(a.key, a);
    return result;
  };
  auto datastore = make();
  TimePoint now = kTimeZero;
  for (int i = 0; i < 300; ++i) {
    now += std::chrono::seconds(1);
    full = random() % 4 == 0;
    const IpamKey key{"aws-cni", "c" + std::to_string(random() % 20), "eth0"};
    if (random() % 2 == 0) {
      static_cast<void>(datastore->Assign(key, {"default", "pod-" + key.container}, now));
    } else {
      static_cast<void>(datastore->Unassign(key, now));
    }
    if (random() % 10 == 0) {
      const auto loaded = Loaded();
      auto restarted = make();
      if (loaded) {
        ASSERT_TRUE(restarted->Restore(*loaded));
      }
      ASSERT_EQ(by_key(*restarted), by_key(*datastore)) << i;
      datastore = std::move(restarted);
    }
  }
  EXPECT_FALSE(by_key(*datastore).empty());
}

TEST(CheckpointPath, NamesOneFileANetworkCard) {
  EXPECT_EQ(CheckpointPath("/var/run/aws-node/ipam.json", 0), "/var/run/aws-node/ipam.json");
  EXPECT_EQ(CheckpointPath("/var/run/aws-node/ipam.json", 1), "/var/run/aws-node/ipam-nic-1.json");
  EXPECT_EQ(CheckpointPath("/state", 12), "/state-nic-12.json");
  EXPECT_EQ(CheckpointPath("/state", 0), "/state");
}

}  // namespace
}  // namespace cnisim
