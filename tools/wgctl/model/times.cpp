// SPDX-License-Identifier: GPL-2.0
#include "model/times.h"

#include <chrono>
#include <ctime>

#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view FORM = "0000-00-00T00:00:00Z", DATE_FORM = FORM.substr(0, 10);
constexpr std::int64_t DAY = 24 * 60 * 60, LONGEST_DURATION = 36525 * DAY;

bool has_form(std::string_view text, std::string_view form)
{
	return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), [](char c, char wanted) {
		return wanted == '0' ? c >= '0' && c <= '9' : c == wanted;
	});
}

std::int64_t seconds_of(char unit)
{
	switch (unit) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 60 * 60;
	case 'd': return DAY;
	case 'w': return 7 * DAY;
	}
	return 0;
}

}

std::string format_time(std::int64_t seconds)
{
	std::time_t time = seconds;
	std::tm utc;
	char text[64];

	gmtime_r(&time, &utc);
	return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

std::int64_t parse_time(std::string_view text)
{
	bool is_date = has_form(text, DATE_FORM);
	auto number = [text](std::size_t at, std::size_t length) { return parse_number<std::uint16_t>(text.substr(at, length)).value_or(0); };

	if (is_date || has_form(text, FORM)) {
		std::chrono::year_month_day date{std::chrono::year(number(0, 4)), std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2))};
		unsigned hour = is_date ? 0 : number(11, 2), minute = is_date ? 0 : number(14, 2), second = is_date ? 0 : number(17, 2);
		if (date.ok() && hour < 24 && minute < 60 && second < 60)
			return std::chrono::sys_days(date).time_since_epoch().count() * DAY + hour * 3600 + minute * 60 + second;
	}
	throw Failure{"not a time in UTC, as 2026-12-31T00:00:00Z or 2026-12-31: " + in_quotes(text)};
}

std::optional<std::int64_t> parse_duration(std::string_view text)
{
	std::int64_t sum = 0;

	if (text.empty())
		return {};
	while (!text.empty()) {
		std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
		std::optional<std::uint32_t> count = parse_number<std::uint32_t>(text.substr(0, digits));
		std::int64_t unit = digits < text.size() ? seconds_of(text[digits]) : 0;
		if (!count || !unit)
			return {};
		sum += *count * unit;
		if (sum > LONGEST_DURATION)
			return {};
		text.remove_prefix(digits + 1);
	}
	return sum;
}

}
