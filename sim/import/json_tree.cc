#include "sim/import/json_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace cnisim {
namespace {

// Sorted.
constexpr std::array<std::string_view, 24> kSkippedKeys{
    "BlockDeviceMappings",
    "CapacityReservationSpecification",
    "CpuOptions",
    "EnclaveOptions",
    "HibernationOptions",
    "IamInstanceProfile",
    "MaintenanceOptions",
    "MetadataOptions",
    "Monitoring",
    "PrivateDnsNameOptions",
    "ProductCodes",
    "args",
    "command",
    "conditions",
    "containerStatuses",
    "images",
    "initContainerStatuses",
    "livenessProbe",
    "managedFields",
    "readinessProbe",
    "startupProbe",
    "strategy",
    "volumeMounts",
    "volumes",
};
static_assert(std::ranges::is_sorted(kSkippedKeys));

// A place in the text that all copies of an iterator share, so that who is called back in the
// middle of parsing knows how far it has come.
struct Cursor {
  const char* begin;
  const char* end;
  const char* at;
  const char* line_start;
  int line = 1;

  void Advance() {
    if (*at == '\n') {
      ++line;
      line_start = at + 1;
    }
    ++at;
  }
};

class CursorIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CursorIterator(Cursor* cursor, bool end) : cursor_(cursor), end_(end) {}
  reference operator*() const { return *cursor_->at; }
  CursorIterator& operator++() {
    cursor_->Advance();
    return *this;
  }
  // As std::istreambuf_iterator: all places but the end are equal.
  friend bool operator==(const CursorIterator& a, const CursorIterator& b) {
    return a.AtEnd() == b.AtEnd();
  }

 private:
  bool AtEnd() const { return end_ || cursor_->at == cursor_->end; }

  Cursor* cursor_;
  bool end_;
};

class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const Cursor& cursor, int source, Diagnostics& diagnostics)
      : cursor_(cursor), source_(source), diagnostics_(diagnostics) {}

  YamlNode TakeRoot() { return std::move(root_); }

  bool null() override { return Keep(YamlNode::Kind::kNull, "", false, 4); }
  bool boolean(bool value) override {
    const char* text = value ? "true" : "false";
    return Keep(YamlNode::Kind::kScalar, text, false, value ? 4 : 5);
  }
  bool number_integer(number_integer_t value) override { return Number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return Number(text); }
  bool string(string_t& value) override {
    const size_t length = value.size() + 2;
    return Keep(YamlNode::Kind::kScalar, std::move(value), true, length);
  }
  bool binary(binary_t&) override { return false; }  // JSON has none

  bool start_object(std::size_t) override { return Open(YamlNode::Kind::kMapping); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(YamlNode::Kind::kList); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (skipping_ > 0) return true;
    key_place_ = Here(name.size() + 2);
    skip_next_ = std::ranges::binary_search(kSkippedKeys, std::string_view(name));
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..."
    std::string message = e.what();
    if (const size_t at = message.find(": "); at != std::string::npos) message.erase(0, at + 2);
    diagnostics_.Error(Here(1), "bad-json", message);
    return false;
  }

 private:
  bool Number(std::string text) {
    const size_t length = text.size() + 1;  // the parser has looked one character further
    return Keep(YamlNode::Kind::kScalar, std::move(text), false, length);
  }

  // The place of something that many characters ago.
  Location Here(size_t ago) const {
    const auto column = static_cast<int>(cursor_.at - cursor_.line_start) + 1;
    return {source_, cursor_.line, std::max(1, column - static_cast<int>(ago))};
  }

  YamlNode* Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    YamlNode& parent = *open_.back();
    if (parent.kind == YamlNode::Kind::kList) {
      parent.items.push_back(std::move(node));
      return &parent.items.back();
    }
    parent.entries.push_back({std::move(key_), key_place_, std::move(node)});
    return &parent.entries.back().value;
  }

  bool Keep(YamlNode::Kind kind, std::string text, bool quoted, size_t length) {
    if (skipping_ > 0) return true;
    YamlNode node;
    node.kind = kind;
    node.where = Here(length);
    node.text = std::move(text);
    node.quoted = quoted;
    Add(std::move(node));
    return true;
  }

  bool Open(YamlNode::Kind kind) {
    if (++depth_ > kMaxYamlDepth) {
      diagnostics_.Error(Here(1), "yaml-too-deep",
                         fmt::format("values are nested more than {} deep", kMaxYamlDepth));
      return false;
    }
    if (skipping_ > 0 ||
        (skip_next_ && !open_.empty() && open_.back()->kind == YamlNode::Kind::kMapping)) {
      ++skipping_;
      skip_next_ = false;
      return true;
    }
    YamlNode node;
    node.kind = kind;
    node.where = Here(1);
    open_.push_back(Add(std::move(node)));
    return true;
  }

  bool Close() {
    --depth_;
    if (skipping_ > 0) {
      --skipping_;
    } else {
      open_.pop_back();
    }
    return true;
  }

  const Cursor& cursor_;
  const int source_;
  Diagnostics& diagnostics_;
  YamlNode root_;
  std::vector<YamlNode*> open_;  // each the last child of the one before, so none of them moves
  std::string key_;
  Location key_place_;
  bool skip_next_ = false;
  int skipping_ = 0;  // depth inside of what is not kept
  int depth_ = 0;
};

}  // namespace

std::optional<std::vector<YamlNode>> ParseJsonDocuments(std::string_view text, int source,
                                                        Diagnostics& diagnostics) {
  std::vector<YamlNode> documents;
  Cursor cursor{text.data(), text.data() + text.size(), text.data(), text.data()};
  const auto skip_space = [&] {
    while (cursor.at != cursor.end &&
           std::string_view(" \t\r\n").find(*cursor.at) != std::string_view::npos) {
      cursor.Advance();
    }
  };
  for (skip_space(); cursor.at != cursor.end; skip_space()) {
    TreeBuilder builder(cursor, source, diagnostics);
    const bool good =
        nlohmann::json::sax_parse(CursorIterator(&cursor, false), CursorIterator(&cursor, true),
                                  &builder, nlohmann::json::input_format_t::json,
                                  /*strict=*/false);
    if (!good) return std::nullopt;
    documents.push_back(builder.TakeRoot());
  }
  return documents;
}

}  // namespace cnisim
