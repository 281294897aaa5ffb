#include "tools/cnisim/sweep/part_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "results/temporary_folder_testing.h"

namespace cnisim {
namespace {

using IfThere = PartFolder::IfThere;

void Finish(PartFolder& folder, size_t job, RowsAre rows) {
  Result<Database*> db = folder.Open(job);
  ASSERT_TRUE(db) << db.error().message;
  ASSERT_TRUE((*db)->Execute("INSERT INTO run_param VALUES(1, 'a', 'b')"));
  EXPECT_TRUE(folder.Close(job, rows));
}

TEST(PartFolder, KeepsWhatIsDone) {
  TemporaryFolder place;
  const std::string file = place / "x.db";
  {
    Result<PartFolder> folder = PartFolder::Open(file, "one", IfThere::kRefuse);
    ASSERT_TRUE(folder) << folder.error().message;
    folder->Plan({4, 7, 9});
    Finish(*folder, 0, RowsAre::kWhole);
    Finish(*folder, 1, RowsAre::kCutShort);
    const Result<Database*> killed = folder->Open(2);
    ASSERT_TRUE(killed);
    EXPECT_TRUE(folder->IsDone(4));
    EXPECT_FALSE(folder->IsDone(7));
    EXPECT_FALSE(folder->IsDone(9));
    EXPECT_EQ(PartFolder::Open(file, "one", IfThere::kGoOn).error().code, "busy");
  }
  EXPECT_EQ(PartFolder::Open(file, "one", IfThere::kRefuse).error().code, "usage");
  EXPECT_EQ(PartFolder::Open(file, "two", IfThere::kGoOn).error().code, "usage");
  {
    Result<PartFolder> folder = PartFolder::Open(file, "one", IfThere::kGoOn);
    ASSERT_TRUE(folder) << folder.error().message;
    EXPECT_TRUE(folder->IsDone(4));
    EXPECT_FALSE(folder->IsDone(9));
    folder->Plan({9});
    Finish(*folder, 0, RowsAre::kWhole);
    EXPECT_TRUE(folder->IsDone(9));
  }
  Result<PartFolder> folder = PartFolder::Open(file, "two", IfThere::kBeginAnew);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_FALSE(folder->IsDone(4));
  folder->Remove(10);
  EXPECT_FALSE(std::filesystem::exists(file + ".parts"));
}

TEST(PartFolder, LeavesOthersFilesAlone) {
  TemporaryFolder place;
  const std::string file = place / "x.db";
  Result<PartFolder> folder = PartFolder::Open(file, "one", IfThere::kRefuse);
  ASSERT_TRUE(folder);
  std::ofstream(file + ".parts/notes.txt") << "mine";
  folder->Remove(3);
  EXPECT_TRUE(std::filesystem::exists(file + ".parts/notes.txt"));
}

}  // namespace
}  // namespace cnisim
