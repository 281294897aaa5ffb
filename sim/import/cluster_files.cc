#include "sim/import/cluster_files.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "sim/import/fact_readers.h"
#include "sim/import/json_tree.h"

namespace cnisim {
namespace {

struct Answer {
  std::string_view key;
  void (*read)(MapReader&, ClusterFacts&);
};
constexpr Answer kAnswers[] = {
    {"Vpcs", ReadVpcs},
    {"Subnets", ReadSubnets},
    {"Reservations", ReadInstances},
    {"NetworkInterfaces", ReadNetworkInterfaces},
};

// {"0": {"TotalIPs": ...}}, or the inner object alone.
bool IsAgentPage(const YamlNode& document) {
  const auto is_card = [](const YamlNode& node) {
    return node.kind == YamlNode::Kind::kMapping && node.Find("TotalIPs") != nullptr;
  };
  return is_card(document) || (!document.entries.empty() &&
                               std::ranges::all_of(document.entries, is_card, &YamlEntry::value));
}

constexpr std::string_view kExpected =
    "neither an answer of aws ec2 describe-vpcs, describe-subnets, describe-instances or "
    "describe-network-interfaces, nor of kubectl get -o json, an eksctl ClusterConfig or the "
    "agent's /v1/enis";

class DocumentReader {
 public:
  DocumentReader(const YamlNode& document, const std::string& name, ClusterFacts& facts,
                 Diagnostics& diagnostics)
      : document_(document), name_(name), facts_(facts), diagnostics_(diagnostics) {}

  void Read() {
    if (document_.kind != YamlNode::Kind::kMapping) {
      Refuse(document_.kind == YamlNode::Kind::kList
                 ? "give the whole answer, not what --query or jq cut out of it"
                 : "");
      return;
    }
    MapReader map(&document_, document_.where, "the document", diagnostics_);
    bool known = false;
    for (const Answer& answer : kAnswers) {
      if (!map.Has(answer.key)) continue;
      answer.read(map, facts_);
      known = true;
    }
    if (known) return;
    if (IsAgentPage(document_)) {
      ReadAgentPage(map, name_, facts_);
    } else if (map.Has("kind")) {
      ReadObject(map);
    } else if (map.Has("Instances")) {
      Refuse("give the whole answer, whose key is \"Reservations\"");
    } else {
      Refuse("");
    }
  }

 private:
  void Refuse(std::string suggestion) {
    diagnostics_.Error(document_.where, "unknown-document", fmt::format("this is {}", kExpected),
                       std::move(suggestion));
  }

  void ReadObject(MapReader& map) {
    const std::string kind = OptionalText(map, "kind");
    if (kind == "ClusterConfig") {
      ReadEksctl(map, facts_);
    } else if (kind.ends_with("List")) {
      // Of kubectl get --raw, whose items have no kind of their own.
      const std::string of_items = kind.substr(0, kind.size() - 4);
      if (!of_items.empty()) facts_.seen.insert(of_items);
      for (Field& item : map.Get("items").List("item")) {
        ReadKubernetesObject(item, of_items, facts_);
      }
      MapReader metadata = map.Get("metadata").Map("'metadata' of the list");
      if (!OptionalText(metadata, "continue").empty())
        facts_.incomplete.push_back("kubectl " + kind);
    } else if (!ReadKubernetesObject(Field(&document_, document_.where, kind, diagnostics_), "",
                                     facts_)) {
      diagnostics_.Error(
          document_.where, "unknown-document",
          fmt::format("an object of kind '{}' says nothing of a cluster's network", kind));
    }
  }

  const YamlNode& document_;
  const std::string& name_;
  ClusterFacts& facts_;
  Diagnostics& diagnostics_;
};

std::optional<std::vector<YamlNode>> Parse(std::string_view text, int source,
                                           Diagnostics& diagnostics) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    diagnostics.Error({source, 0, 0}, "empty-file", "the file is empty");
    return std::nullopt;
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    diagnostics.Error({source, 0, 0}, "not-utf8", "the file is UTF-16, not UTF-8",
                      "in PowerShell, write it with `| Out-File -Encoding utf8`");
    return std::nullopt;
  }
  const std::string_view rest = text.substr(first);
  if (rest.starts_with('{') || rest.starts_with('[') || rest.starts_with("\xef\xbb\xbf{")) {
    return ParseJsonDocuments(text, source, diagnostics);
  }
  std::optional<YamlNode> tree = ParseYaml(text, source, diagnostics);
  if (!tree) return std::nullopt;
  std::vector<YamlNode> documents;
  documents.push_back(*std::move(tree));
  return documents;
}

}  // namespace

void ClusterFileReader::Read(std::string_view text, const std::string& name, int source) {
  const std::optional<std::vector<YamlNode>> documents = Parse(text, source, diagnostics_);
  if (!documents) return;
  for (const YamlNode& document : *documents) {
    DocumentReader(document, name, facts_, diagnostics_).Read();
  }
}

}  // namespace cnisim
