#include "core/ipam/agent_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/telemetry/prometheus_parser_testing.h"

namespace cnisim {
namespace {

using testing::ElementsAre;

constexpr BuildInfo kBuild{"v1.23.1", "g++ 12"};

// A family of testdata/metric_families.txt.
struct ListedFamily {
  std::string name;
  std::string type;
  std::vector<std::string> labels;
  std::map<std::string, std::string> values;  // of labels with a closed set, joined by commas
};

std::vector<ListedFamily> ListedFamilies() {
  std::vector<ListedFamily> families;
  std::ifstream file(CNISIM_SOURCE_DIR "/core/ipam/testdata/metric_families.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    ListedFamily family;
    words >> family.name >> family.type;
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      family.labels.push_back(word.substr(0, equals));
      if (equals != std::string::npos)
        family.values[family.labels.back()] = word.substr(equals + 1);
    }
    families.push_back(std::move(family));
  }
  return families;
}

template <typename Label, typename Number>
void SetAll(PerLabel<Label, Number>& numbers) {
  for (size_t i = 0; i < PerLabel<Label, Number>::kSize; ++i) {
    numbers[static_cast<Label>(i)] = static_cast<Number>(i + 1);
  }
}

// Every series that there can be at least once.
AgentMetrics FullMetrics() {
  AgentMetrics m;
  SetAll(m.ipamd_errors);
  SetAll(m.actions_in_progress);
  m.eni_max = 4;
  m.ip_max = 56;
  SetAll(m.reconciles);
  m.no_available_addresses = 3;
  SetAll(m.pod_eni_errors);
  SetAll(m.connmark_reconciles);
  m.connmark_backend[ConnmarkBackendLabel::kNftables] = true;
  for (size_t i = 0; i < PerLabel<AwsApi>::kSize; ++i) {
    const auto api = static_cast<AwsApi>(i);
    m.CountEc2Call(api, std::chrono::milliseconds(250), 200, "");
    m.CountEc2Call(api, std::chrono::milliseconds(500), 200, "");
    m.CountEc2Call(api, std::chrono::seconds(1), 503, "RequestLimitExceeded");
    m.CountEc2Call(api, std::chrono::seconds(10), 0, "RequestTimeout");
  }
  for (size_t i = 0; i < PerLabel<AwsUtilsError>::kSize; ++i) {
    m.aws_utils_errors[{static_cast<AwsUtilsError>(i), "InternalError"}] = i + 1;
  }
  for (const bool success : {false, true}) {
    m.node_init_seconds[success].Observe(2);
    for (const bool with_api_server : {false, true}) {
      for (const auto failure :
           {StartupFailure::kNone, StartupFailure::kApiServer, StartupFailure::kNodeInit}) {
        m.startup_seconds[{success, with_api_server, failure}].Observe(3);
      }
    }
  }
  return m;
}

RequestCounts FullRequests() { return {7, {{"PodDeleted", 5}, {"SetupNSFailed", 1}}}; }

PoolSnapshot Pool(int card, std::string eni, std::vector<PoolSnapshot::Cidr> cidrs) {
  PoolSnapshot pool;
  pool.card = card;
  for (const PoolSnapshot::Cidr& cidr : cidrs) {
    pool.total_ips += cidr.cidr.size();
    pool.assigned_ips += cidr.assigned;
    pool.prefixes += cidr.is_prefix ? 1 : 0;
  }
  pool.enis.push_back({{}, false, std::move(cidrs)});
  pool.enis.back().attributes.id = std::move(eni);
  return pool;
}

std::vector<PoolSnapshot> TwoCards() {
  PoolSnapshot first = Pool(0, "eni-2",
                            {{*IpCidr::Parse("10.0.0.16/28"), true, 5, {}},
                             {*IpCidr::Parse("10.0.0.5/32"), false, 1, {}}});
  first.forced_removals_of_enis = 1;
  first.forced_removals_of_ips = 4;
  return {first, Pool(1, "eni-1", {{*IpCidr::Parse("10.0.0.6/32"), false, 0, {}}})};
}

std::vector<ParsedFamily> Page(const AgentMetrics& metrics,
                               const std::vector<PoolSnapshot>& pools = {}) {
  const bool used = !metrics.api_latency_ms.empty();
  const RequestCounts requests = used ? FullRequests() : RequestCounts();
  return ParsePrometheusText(MetricsPage(metrics, requests, pools, kBuild, false));
}

const ParsedFamily& Family(const std::vector<ParsedFamily>& page, const std::string& name) {
  for (const ParsedFamily& family : page) {
    if (family.name == "awscni_" + name) return family;
  }
  throw std::runtime_error("no family " + name);
}

std::string ValueOf(const std::vector<ParsedFamily>& page, const std::string& name) {
  const auto& samples = Family(page, name).samples;
  return samples.size() == 1 && samples[0].labels.empty() ? samples[0].value : "not one sample";
}

TEST(AgentMetrics, HasEveryFamilyWithItsTypeWhetherUsedOrNot) {
  const auto listed = ListedFamilies();
  ASSERT_FALSE(listed.empty());
  for (const auto& page : {Page({}), Page(FullMetrics(), TwoCards())}) {
    ASSERT_EQ(page.size(), listed.size());
    for (size_t i = 0; i < listed.size(); ++i) {
      EXPECT_EQ(page[i].name, "awscni_" + listed[i].name);
      EXPECT_EQ(page[i].type, listed[i].type) << page[i].name;
      EXPECT_FALSE(page[i].help.empty()) << page[i].name;
    }
  }
}

TEST(AgentMetrics, HasTheListedLabelsAndValues) {
  const auto page = Page(FullMetrics(), TwoCards());
  for (const ListedFamily& listed : ListedFamilies()) {
    const ParsedFamily& family = Family(page, listed.name);
    ASSERT_FALSE(family.samples.empty()) << listed.name;
    std::map<std::string, std::set<std::string>> values;
    for (const ParsedSample& sample : family.samples) {
      std::vector<std::string> labels;
      for (const auto& [name, value] : sample.labels) {
        if (name == "le") continue;
        labels.push_back(name);
        values[name].insert(value);
      }
      EXPECT_EQ(labels, listed.labels) << listed.name;
    }
    for (const auto& [label, closed_set] : listed.values) {
      std::string joined;
      for (const std::string& value : values[label]) joined += (joined.empty() ? "" : ",") + value;
      if (values[label].contains("")) joined.insert(0, ",");
      EXPECT_EQ(joined, closed_set) << listed.name;
    }
  }
}

TEST(AgentMetrics, SeriesAreInOrderAndUnique) {
  for (const ParsedFamily& family : Page(FullMetrics(), TwoCards())) {
    if (family.type == "histogram") continue;  // "le" is in numerical order
    for (size_t i = 1; i < family.samples.size(); ++i) {
      const ParsedSample& before = family.samples[i - 1];
      const ParsedSample& sample = family.samples[i];
      if (before.labels == sample.labels) {
        EXPECT_TRUE(before.name.ends_with("_sum") && sample.name.ends_with("_count"));
      } else {
        EXPECT_LT(before.labels, sample.labels) << family.name;
      }
    }
  }
}

TEST(AgentMetrics, CountersWithoutEventsHaveNoSeries) {
  const auto page = Page({});
  for (const ParsedFamily& family : page) {
    for (const ParsedSample& sample : family.samples) {
      if (family.name == "awscni_build_info") continue;
      EXPECT_EQ(sample.value, "0") << sample.name;
      EXPECT_TRUE(sample.labels.empty() || family.name == "awscni_ipamd_action_inprogress");
    }
  }
  AgentMetrics one;
  ++one.ipamd_errors[IpamdError::kReconcileAddPrefix];
  EXPECT_THAT(
      Family(Page(one), "ipamd_error_count").samples,
      ElementsAre(ParsedSample{"awscni_ipamd_error_count", {{"fn", "prefixReconcileAdd"}}, "1"}));
}

TEST(AgentMetrics, TellsTheBuild) {
  EXPECT_THAT(Family(Page({}), "build_info").samples,
              ElementsAre(ParsedSample{
                  "awscni_build_info", {{"goversion", "g++ 12"}, {"version", "v1.23.1"}}, "1"}));
}

TEST(AgentMetrics, GaugesOfThePoolAreSumsOverCards) {
  const auto page = Page({}, TwoCards());
  EXPECT_EQ(ValueOf(page, "eni_allocated"), "2");
  EXPECT_EQ(ValueOf(page, "total_ip_addresses"), "18");
  EXPECT_EQ(ValueOf(page, "assigned_ip_addresses"), "6");
  EXPECT_EQ(ValueOf(page, "total_ipv4_prefixes"), "1");
  EXPECT_EQ(ValueOf(page, "force_removed_enis"), "1");
  EXPECT_EQ(ValueOf(page, "force_removed_ips"), "4");
  const std::string cidr = "awscni_assigned_ip_per_cidr";
  EXPECT_THAT(Family(page, "assigned_ip_per_cidr").samples,
              ElementsAre(ParsedSample{cidr, {{"cidr", "10.0.0.16/28"}}, "5"},
                          ParsedSample{cidr, {{"cidr", "10.0.0.5/32"}}, "1"},
                          ParsedSample{cidr, {{"cidr", "10.0.0.6/32"}}, "0"}));
  const std::string eni = "awscni_assigned_ip_per_eni";
  EXPECT_THAT(Family(page, "assigned_ip_per_eni").samples,
              ElementsAre(ParsedSample{eni, {{"eni", "eni-1"}}, "0"},
                          ParsedSample{eni, {{"eni", "eni-2"}}, "6"}));
}

TEST(AgentMetrics, NumberOfEnisMayBeThatOfTheCardWrittenLast) {
  std::vector<PoolSnapshot> pools = TwoCards();
  pools[1].enis.push_back(pools[1].enis.front());
  for (const auto& [card, enis] : {std::pair(0, "1"), std::pair(1, "2")}) {
    AgentMetrics m;
    m.card_written_last = card;
    const auto page = ParsePrometheusText(MetricsPage(m, {}, pools, kBuild, true));
    EXPECT_EQ(ValueOf(page, "eni_allocated"), enis);
    EXPECT_EQ(ValueOf(page, "total_ip_addresses"), "18");
  }
}

TEST(AgentMetrics, CountsEc2Calls) {
  AgentMetrics m;
  const AwsApi api = AwsApi::kCreateTags;
  m.CountEc2Call(api, std::chrono::milliseconds(250), 200, "");
  m.CountEc2Call(api, std::chrono::milliseconds(500), 200, "");
  m.CountEc2Call(api, std::chrono::seconds(1), 503, "RequestLimitExceeded");
  m.CountEc2Call(api, std::chrono::seconds(10), 0, "RequestTimeout");
  const auto page = Page(m);
  const auto labels = [](const char* error, const char* status) {
    return std::vector<std::pair<std::string, std::string>>{
        {"api", "CreateTags"}, {"error", error}, {"status", status}};
  };
  const std::string sum = "awscni_aws_api_latency_ms_sum";
  const std::string count = "awscni_aws_api_latency_ms_count";
  EXPECT_THAT(Family(page, "aws_api_latency_ms").samples,
              ElementsAre(ParsedSample{sum, labels("false", "200"), "750"},
                          ParsedSample{count, labels("false", "200"), "2"},
                          ParsedSample{sum, labels("true", ""), "10000"},
                          ParsedSample{count, labels("true", ""), "1"},
                          ParsedSample{sum, labels("true", "503"), "1000"},
                          ParsedSample{count, labels("true", "503"), "1"}));
  const std::string errors = "awscni_aws_api_error_count";
  EXPECT_THAT(
      Family(page, "aws_api_error_count").samples,
      ElementsAre(
          ParsedSample{errors, {{"api", "CreateTags"}, {"error", "RequestLimitExceeded"}}, "1"},
          ParsedSample{errors, {{"api", "CreateTags"}, {"error", "RequestTimeout"}}, "1"}));
  const std::vector<std::pair<std::string, std::string>> fn{{"fn", "CreateTags"}};
  EXPECT_THAT(Family(page, "ec2api_req_count").samples,
              ElementsAre(ParsedSample{"awscni_ec2api_req_count", fn, "4"}));
  EXPECT_THAT(Family(page, "ec2api_error_count").samples,
              ElementsAre(ParsedSample{"awscni_ec2api_error_count", fn, "2"}));
}

}  // namespace
}  // namespace cnisim
