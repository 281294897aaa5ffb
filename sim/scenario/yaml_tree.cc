#include "sim/scenario/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "core/net/utf8.h"
#include "sim/scenario/quantities.h"

namespace cnisim {
namespace {

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";
constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

// Leaves yaml-cpp's parser, which reports by exceptions itself; caught in ParseYaml.
struct Abandoned {};

// yaml-cpp takes the end of the text for the end of a quoted scalar. Whether the one at `start`,
// behind its anchor and tag if it has any, is closed; true for scalars without quotes.
bool IsClosed(std::string_view text, size_t start) {
  while (start < text.size() && (text[start] == '&' || text[start] == '!')) {
    start = std::min(text.find_first_of(" \t\r\n", start), text.size());
    start = std::min(text.find_first_not_of(" \t\r\n", start), text.size());
  }
  const char quote = start < text.size() ? text[start] : '\0';
  if (quote != '"' && quote != '\'') return true;
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return true;
      ++i;  // '' stands for one quote
    }
  }
  return false;
}

size_t CountNodes(const YamlNode& node) {
  size_t count = 1;
  for (const YamlNode& item : node.items) count += CountNodes(item);
  for (const YamlEntry& entry : node.entries) count += CountNodes(entry.value);
  return count;
}

int DepthOf(const YamlNode& node) {
  int depth = 0;
  for (const YamlNode& item : node.items) depth = std::max(depth, DepthOf(item));
  for (const YamlEntry& entry : node.entries) depth = std::max(depth, DepthOf(entry.value));
  return depth + 1;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, int source, Diagnostics& diagnostics)
      : text_(text), source_(source), diagnostics_(diagnostics) {}

  YamlNode Take() { return std::move(root_); }
  // Where the innermost collection that is still open began.
  std::optional<Location> open_since() const {
    return open_.empty() ? std::nullopt : std::optional(open_.back().node.where);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.where = At(mark);
    Add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) Abandon(At(mark), "yaml-alias", "an alias inside its own anchor");
    nodes_ += CountNodes(it->second);
    if (static_cast<int>(open_.size()) + DepthOf(it->second) > kMaxYamlDepth) TooDeep(At(mark));
    Add(it->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.where = At(mark);
    node.text = value;
    node.quoted = tag == "!" || tag == kStringTag;
    CheckTag(node.where, tag);
    if (node.quoted && !IsClosed(text_, static_cast<size_t>(mark.pos))) {
      Abandon(node.where, "yaml-syntax", "YAML syntax: this quoted text is never closed");
    }
    Add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMapping, mark, tag, anchor);
  }
  void OnMapEnd() override {
    ApplyMerges(open_.back().node);
    Close();
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlEntry> pending;  // a key without its value yet
    std::map<std::string, int> lines;  // of the keys so far
  };

  Location At(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  [[noreturn]] void Abandon(Location where, Code code, std::string message) {
    diagnostics_.Error(where, code, std::move(message));
    throw Abandoned{};
  }

  [[noreturn]] void TooDeep(Location where) {
    Abandon(where, "yaml-too-deep", fmt::format("nested more than {} levels deep", kMaxYamlDepth));
  }

  void CheckTag(Location where, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with(kCoreTags)) return;
    Abandon(where, "yaml-tag", fmt::format("the YAML tag '{}' is not supported", tag));
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.where = At(mark);
    frame.anchor = anchor;
    CheckTag(frame.node.where, tag);
    if (static_cast<int>(open_.size()) >= kMaxYamlDepth) TooDeep(frame.node.where);
    open_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    Add(std::move(frame.node), frame.anchor);
  }

  void Add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) nodes_ += CountNodes(node);  // kept for its aliases
    if (++nodes_ > kMaxYamlNodes) {
      Abandon(node.where, "yaml-too-large",
              fmt::format("more than {} values, counting what aliases repeat", kMaxYamlNodes));
    }
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.kind == YamlNode::Kind::kList) {
      open_.back().node.items.push_back(std::move(node));
    } else {
      AddToMapping(open_.back(), std::move(node));
    }
  }

  void AddToMapping(Frame& frame, YamlNode node) {
    if (frame.pending) {
      if (node.is_null()) node.where = frame.pending->where;
      frame.pending->value = std::move(node);
      frame.node.entries.push_back(*std::move(frame.pending));
      frame.pending.reset();
      return;
    }
    if (node.kind != YamlNode::Kind::kScalar) {
      Abandon(node.where, "yaml-key",
              fmt::format("a key must be plain text, not {}", Describe(node)));
    }
    const auto [first, added] = frame.lines.emplace(node.text, node.where.line);
    if (!added) {
      diagnostics_.Error(node.where, "duplicate-key",
                         fmt::format("key {} is there twice; the first is on line {}",
                                     Describe(node), first->second));
    }
    frame.pending = YamlEntry{std::move(node.text), node.where, {}};
  }

  // YAML's merge key: the mapping's own keys win over merged ones, earlier merges over later ones.
  void ApplyMerges(YamlNode& mapping) {
    std::vector<YamlNode> sources;
    for (YamlEntry& entry : mapping.entries) {
      if (entry.key != "<<") continue;
      if (entry.value.kind == YamlNode::Kind::kList) {
        std::ranges::move(entry.value.items, std::back_inserter(sources));
      } else {
        sources.push_back(std::move(entry.value));
      }
    }
    std::erase_if(mapping.entries, [](const YamlEntry& entry) { return entry.key == "<<"; });
    for (const YamlNode& source : sources) {
      if (source.kind != YamlNode::Kind::kMapping) {
        Abandon(source.where, "yaml-merge",
                fmt::format("the merge key << needs a mapping, not {}", Describe(source)));
      }
      for (const YamlEntry& entry : source.entries) {
        if (mapping.Find(entry.key) == nullptr) mapping.entries.push_back(entry);
      }
    }
  }

  const std::string_view text_;
  const int source_;
  Diagnostics& diagnostics_;
  YamlNode root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

// Lines and columns of an offset, from 1.
Location LocationOf(std::string_view text, size_t offset, int source) {
  Location where{source, 1, 1};
  for (const char c : text.substr(0, offset)) {
    where.column = c == '\n' ? 1 : where.column + 1;
    where.line += c == '\n' ? 1 : 0;
  }
  return where;
}

// YAML 1.2, 5.1: tab, line ends and anything printable.
bool CheckCharacters(std::string_view text, int source, Diagnostics& diagnostics) {
  if (text.size() > kMaxYamlBytes) {
    diagnostics.Error(
        {source, 0, 0}, "yaml-too-large",
        fmt::format("the file has {} bytes; a scenario may have {}", text.size(), kMaxYamlBytes));
    return false;
  }
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8CharacterLength(text.substr(i));
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (length == 0) {
      diagnostics.Error(LocationOf(text, i, source), "not-utf8",
                        fmt::format("byte 0x{:02x} is not UTF-8 text", c));
      return false;
    }
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      diagnostics.Error(LocationOf(text, i, source), "not-text",
                        fmt::format("control character 0x{:02x}; YAML is plain text", c));
      return false;
    }
    // yaml-cpp and the line numbers of messages know no such line end.
    if (c == '\r' && text.substr(i + 1, 1) != "\n") {
      diagnostics.Error(LocationOf(text, i, source), "not-text",
                        "a lone carriage return; lines end in LF or CR LF");
      return false;
    }
    i += length;
  }
  return true;
}

// The first line, up to `last_line`, whose indentation has a tab.
std::optional<Location> TabInIndentation(std::string_view text, int last_line, int source) {
  int line = 1;
  for (size_t start = 0; start < text.size() && line <= last_line; ++line) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view content = text.substr(start, end - start);
    const size_t indentation = content.find_first_not_of(" \t");
    const size_t tab = content.find('\t');
    if (tab < indentation && indentation != std::string_view::npos) {
      return Location{source, line, static_cast<int>(tab) + 1};
    }
    start = end + 1;
  }
  return std::nullopt;
}

// yaml-cpp's complaint if the text ends in blanks inside a quoted scalar.
constexpr std::string_view kEndInScalar = "illegal EOF in scalar";

// yaml-cpp's words where ours say more. `where`, yaml-cpp's place, moves to the cause.
std::string SyntaxMessage(const std::string& what, std::optional<Location> open_since,
                          Location& where) {
  if (what.starts_with("end of ") && what.find("flow") != what.npos && open_since) {
    where = *open_since;
    return what.find("map") != what.npos ? "this '{' is never closed" : "this '[' is never closed";
  }
  if (what == "illegal map value") return "a ': ' where no mapping can be; quote text that has one";
  if (what == "end of map not found") return "this line does not fit the mapping above it";
  if (what == "end of sequence not found") return "this line does not fit the list above it";
  if (what == kEndInScalar) return "a quoted text is never closed";
  if (what == "illegal flow end") return "a ']' or '}' that closes nothing";
  return what;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  const auto it = std::ranges::find(entries, key, &YamlEntry::key);
  return it == entries.end() ? nullptr : &it->value;
}

YamlNode* YamlNode::Find(std::string_view key) {
  const auto it = std::ranges::find(entries, key, &YamlEntry::key);
  return it == entries.end() ? nullptr : &it->value;
}

std::string Describe(const YamlNode& node) {
  constexpr size_t kMaxShown = 60;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
    case YamlNode::Kind::kScalar:
      break;
  }
  std::string shown;
  for (size_t i = 0; i < node.text.size();) {
    const size_t length =
        std::max<size_t>(1, Utf8CharacterLength(std::string_view(node.text).substr(i)));
    if (shown.size() + length > kMaxShown) {
      shown += "...";
      break;
    }
    // Messages stay on one line.
    shown += node.text[i] == '\n' || node.text[i] == '\r' ? " " : node.text.substr(i, length);
    i += length;
  }
  if (node.quoted) return fmt::format("the string \"{}\"", shown);
  return fmt::format("'{}'", shown);
}

std::optional<YamlNode> ParseYaml(std::string_view text, int source, Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!CheckCharacters(text, source, diagnostics)) return std::nullopt;
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(text, source, diagnostics);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder next(text, source, diagnostics);
    while (parser.HandleNextDocument(next)) {
      const YamlNode second = next.Take();
      if (second.is_null()) continue;
      diagnostics.Error(second.where, "several-documents",
                        "a second YAML document starts here; a file holds one scenario");
      return std::nullopt;
    }
    return builder.Take();
  } catch (const Abandoned&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    const size_t end = text.find_last_not_of(" \t\r\n") + 1;
    // Without the blanks the builder meets the scalar and can tell where it began.
    if (e.msg == kEndInScalar && end < text.size()) {
      return ParseYaml(text.substr(0, end), source, diagnostics);
    }
    Location where{source, e.mark.line + 1, e.mark.column + 1};
    if (const auto tab = TabInIndentation(text, where.line, source)) {
      diagnostics.Error(*tab, "yaml-tab", "a tab in the indentation; YAML wants spaces");
    } else {
      const std::string message = SyntaxMessage(e.msg, builder.open_since(), where);
      diagnostics.Error(where, "yaml-syntax", "YAML syntax: " + message);
    }
    return std::nullopt;
  }
}

}  // namespace cnisim
