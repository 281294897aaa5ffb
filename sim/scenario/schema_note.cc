#include "sim/scenario/schema_note.h"

#include <algorithm>

namespace cnisim {

SchemaNote* SchemaNote::Child(std::string_view key) {
  for (const auto& [name, note] : keys) {
    if (name == key) return note.get();
  }
  return keys.emplace_back(std::string(key), std::make_unique<SchemaNote>()).second.get();
}

const SchemaNote* SchemaNote::Find(std::string_view key) const {
  const auto it = std::ranges::find(keys, key, &Key::first);
  return it == keys.end() ? nullptr : it->second.get();
}

void SchemaNote::Note(SchemaRead read) {
  if (std::ranges::find(reads, read) == reads.end()) reads.push_back(std::move(read));
}

SchemaNote* SchemaRecorder::Shared(const std::string& name) {
  std::unique_ptr<SchemaNote>& note = shared_[name];
  if (note == nullptr) note = std::make_unique<SchemaNote>();
  return note.get();
}

int SchemaRecorder::Decide(const SchemaNote* note, const std::string& question, int alternatives) {
  const Question asked(note, question);
  if (known_.insert(asked).second) {
    for (int way = 1; way < alternatives; ++way) {
      Decisions decisions = decisions_;
      decisions[asked] = way;
      to_do_.push_back(std::move(decisions));
    }
  }
  const auto it = decisions_.find(asked);
  return it == decisions_.end() ? 0 : it->second;
}

void SchemaRecorder::Explore(const std::function<void(SchemaRecorder&)>& read) {
  to_do_.emplace_back();
  while (!to_do_.empty()) {
    decisions_ = std::move(to_do_.front());
    to_do_.pop_front();
    read(*this);
  }
}

}  // namespace cnisim
