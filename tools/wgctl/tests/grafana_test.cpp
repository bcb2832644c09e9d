// SPDX-License-Identifier: GPL-2.0
/* The dashboard for Grafana, beside the metrics there really are. */
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>

#include "tests/fakes.h"
#include "view/json.h"
#include "view/openmetrics.h"

namespace wgctl {

namespace {

using Words = std::set<std::string>;

/* What a query may say besides names of metrics and labels. */
const Words FUNCTIONS{"label_replace", "label_values", "rate", "sum", "time"};
const Words KEYWORDS{"by", "group_left", "on", "or"};
/* Those that Prometheus adds, and the one that a query makes itself. */
const Words OTHER_LABELS{"instance", "job", "peer"};
/* Of Grafana itself, and what label_replace calls a part. */
const Words OTHER_VARIABLES{"__rate_interval", "1"};

struct MetricNames {
	Words metrics, labels, variables, functions;
	bool operator==(const MetricNames &) const = default;
};

/* Words are labels where a query names labels: within { }, and in the list behind by, on and group_left. */
MetricNames names_in(std::string_view query)
{
	MetricNames names;
	std::string word, before;
	bool in_braces = false, in_list = false;
	auto end_word = [&](char next) {
		if (word.starts_with('$'))
			names.variables.insert(word.substr(1));
		else if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word[0])) && (in_braces || in_list))
			names.labels.insert(word);
		else if (FUNCTIONS.contains(word) || (!word.empty() && next == '(' && !KEYWORDS.contains(word)))
			names.functions.insert(word);
		else if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word[0])) && !KEYWORDS.contains(word))
			names.metrics.insert(word);
		before = word.empty() ? before : word;
		word.clear();
	};

	for (std::size_t i = 0; i <= query.size(); ++i) {
		char c = i < query.size() ? query[i] : ' ';
		if (c == '"') {
			std::size_t end = query.find('"', i + 1);
			std::string_view text = query.substr(i + 1, end - i - 1);
			if (text.starts_with('$'))
				names.variables.insert(std::string(text.substr(1)));
			else if (!in_braces && std::all_of(text.begin(), text.end(), [](unsigned char one) { return std::isalpha(one) || one == '_'; }))
				names.labels.insert(std::string(text));
			i = end;
			continue;
		}
		if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$') {
			word += c;
			continue;
		}
		/* Of "sum by (a)", the word before the bracket stands apart from it. */
		std::size_t next = query.find_first_not_of(' ', i);
		end_word(next == query.npos ? ' ' : query[next]);
		if (c == '{' || c == '}')
			in_braces = c == '{';
		if (c == '(')
			in_list = KEYWORDS.contains(before) && before != "or";
		if (c == ')')
			in_list = false;
	}
	return names;
}

/* Of a machine that has all there is to tell. */
MetricNames written_names()
{
	Measurement measurement;
	Peer peer;
	MetricNames names;

	peer.public_key = test_key(1);
	peer.endpoint = endpoint_of(test_prefix("192.0.2.7"), 1);
	measurement.device.name = "wg0";
	measurement.device.public_key = test_key(2);
	measurement.device.peers.push_back(peer);
	measurement.names[peer.public_key] = "laptop";
	measurement.counters.push_back({"drop-malformed", 1});
	for_each_line(format_metrics({measurement}, 1), [&](std::string_view line) {
		if (line.starts_with('#'))
			return;
		MetricNames of_line = names_in(line.substr(0, line.find('}') + 1));
		names.metrics.merge(of_line.metrics);
		names.labels.merge(of_line.labels);
	});
	return names;
}

struct Grafana : testing::Test {
	Json dashboard;
	/* Of each panel, and those that fill the variables. */
	std::vector<std::string> queries;
	Words variables;

	void SetUp() override
	{
		std::ifstream file("grafana/wireguard.json");
		std::string text{std::istreambuf_iterator<char>(file), {}};
		dashboard = Json::parse(text);
		for (const Json &variable : dashboard["templating"]["list"]) {
			variables.insert(text_in(variable["name"]));
			if (text_in(variable["type"]) == "query")
				queries.push_back(text_in(variable["query"]["query"]));
		}
		for (const Json &panel : dashboard["panels"])
			for (const Json &target : panel["targets"])
				queries.push_back(text_in(target["expr"]));
	}
	static std::string text_in(const Json &value) { return plain(value.get_ref<const Text &>()); }
};

/* What is no part of the others. */
Words without(const Words &words, const std::vector<Words> &others)
{
	Words left = words;

	for (const Words &known : others)
		std::erase_if(left, [&](const std::string &word) { return known.contains(word); });
	return left;
}

}

TEST_F(Grafana, names_are_found_in_queries)
{
	EXPECT_EQ(names_in("sum by (a, b) (rate(m_total{c=~\"$v\"}[$__rate_interval])) * 8 > 0"),
		  (MetricNames{{"m_total"}, {"a", "b", "c"}, {"v", "__rate_interval"}, {"sum", "rate"}}));
	EXPECT_EQ(names_in("x * on (a) group_left (b) y or on (c) z"), (MetricNames{{"x", "y", "z"}, {"a", "b", "c"}, {}, {}}));
	EXPECT_EQ(names_in("label_replace(m, \"d\", \"$1\", \"e\", \"(.+)\")"), (MetricNames{{"m"}, {"d", "e"}, {"1"}, {"label_replace"}}));
}

TEST_F(Grafana, queries_name_only_what_metrics_writes)
{
	MetricNames written = written_names();

	EXPECT_GT(queries.size(), 10u);
	for (const std::string &query : queries) {
		MetricNames names = names_in(query);
		/* A variable is filled from a label's values. */
		for (const std::string &label : query.starts_with("label_values") ? written.labels : Words())
			names.metrics.erase(label);
		names.metrics.erase(query.starts_with("label_values") ? "instance" : "");
		EXPECT_FALSE(names.metrics.empty()) << query;
		EXPECT_EQ(without(names.metrics, {written.metrics}), Words()) << query;
		EXPECT_EQ(without(names.labels, {written.labels, OTHER_LABELS}), Words()) << query;
		EXPECT_EQ(without(names.functions, {FUNCTIONS}), Words()) << query;
		EXPECT_EQ(without(names.variables, {variables, OTHER_VARIABLES}), Words()) << query;
	}
}

/* Whoever looks at it sees all there is. */
TEST_F(Grafana, every_metric_has_a_query)
{
	Words asked;

	for (const std::string &query : queries)
		asked.merge(names_in(query).metrics);
	EXPECT_EQ(without(written_names().metrics, {asked}), Words());
}

TEST_F(Grafana, only_counters_have_rates)
{
	for (const std::string &query : queries)
		for (std::size_t at = 0; (at = query.find("rate(", at)) != query.npos; ++at)
			EXPECT_TRUE(std::string_view(query).substr(at, query.find('{', at) - at).ends_with("_total")) << query;
}

TEST_F(Grafana, panels_have_a_title_and_a_place_of_their_own)
{
	std::set<std::int64_t> ids;
	std::set<std::pair<int, int>> taken;

	for (const Json &panel : dashboard["panels"]) {
		EXPECT_TRUE(ids.insert(panel["id"].get<std::int64_t>()).second);
		EXPECT_FALSE(text_in(panel["title"]).empty());
		for (const Json &target : panel["targets"])
			EXPECT_EQ(text_in(target["datasource"]["uid"]), "${datasource}");
		const Json &place = panel["gridPos"];
		int x = place["x"].get<int>(), y = place["y"].get<int>(), width = place["w"].get<int>(), height = place["h"].get<int>();
		EXPECT_LE(x + width, 24);
		for (int i = 0; i < width * height; ++i)
			EXPECT_TRUE(taken.insert({x + i % width, y + i / width}).second) << text_in(panel["title"]);
	}
	EXPECT_TRUE(variables.contains("datasource"));
}

}
