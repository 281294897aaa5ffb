// For tests: a folder that is gone at the end, and rows of a query as text.
#ifndef CNISIM_RESULTS_TEMPORARY_FOLDER_TESTING_H_
#define CNISIM_RESULTS_TEMPORARY_FOLDER_TESTING_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "results/database.h"

namespace cnisim {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "/cnisim-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

 private:
  std::string path_;
};

// Columns joined by '|', NULL as nothing.
inline std::vector<std::string> Rows(Database& db, std::string_view sql) {
  std::vector<std::string> rows;
  auto statement = db.Prepare(sql);
  if (!statement) {
    ADD_FAILURE() << sql << ": " << statement.error().message;
    return rows;
  }
  for (auto row = statement->Step(); row.value_or(false); row = statement->Step()) {
    std::string text;
    for (int c = 0; c < statement->column_count(); ++c) {
      if (c > 0) text += '|';
      text += statement->Text(c);
    }
    rows.push_back(text);
  }
  return rows;
}

}  // namespace cnisim

#endif  // CNISIM_RESULTS_TEMPORARY_FOLDER_TESTING_H_
