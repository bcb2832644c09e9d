// SPDX-License-Identifier: GPL-2.0
#include "host/name_query.h"

#include <gtest/gtest.h>

#include "model/values.h"

namespace wgctl {

namespace {

using namespace std::string_literals;

/* Of the header, what follows the number: an answer, whole, without error, to one question. */
std::string header(char records)
{
	return "\x81\x80\0\1\0"s + records + "\0\0\0\0"s;
}
/* Its name is that of the question, by a pointer. */
std::string record(std::string_view type, std::string_view data)
{
	return "\xc0\x0c"s + std::string(type) + "\0\1\0\0\0\1\0"s + static_cast<char>(data.size()) + std::string(data);
}
const std::string A = "\0\1"s, ALIAS = "\0\5"s, AAAA = "\0\x1c"s;

struct NameQuery : testing::Test {
	std::string query = name_query("hub.example", AF_INET);
	std::string answer = query.substr(0, 2) + header(3) + query.substr(12) + record(ALIAS, "\xc0\x0c"s) + record(A, "\xc0\0\2\1"s) + record(A, "\xc0\0\2\2"s);
	std::vector<Endpoint> found;

	std::string addresses()
	{
		std::string text;
		for (const Endpoint &endpoint : found)
			text += std::string(format_endpoint(endpoint)) + " ";
		return text;
	}
};

}

TEST_F(NameQuery, a_query_is_one_question_and_wants_recursion)
{
	EXPECT_EQ(query.substr(2), "\1\0\0\1\0\0\0\0\0\0\3hub\7example\0\0\1\0\1"s);
	/* Two others would both have to have its number by chance. */
	std::string number = query.substr(0, 2);
	EXPECT_FALSE(name_query("hub.example", AF_INET).starts_with(number) && name_query("hub.example", AF_INET).starts_with(number));
}

TEST_F(NameQuery, every_address_of_an_answer_is_found_behind_an_alias_too)
{
	EXPECT_TRUE(read_answer(query, answer, 7, found));
	EXPECT_EQ(addresses(), "192.0.2.1:7 192.0.2.2:7 ");
}

TEST_F(NameQuery, so_is_an_ipv6_address)
{
	query = name_query("hub.example", AF_INET6);
	answer = query.substr(0, 2) + header(1) + query.substr(12) + record(AAAA, "\x20\1\x0d\xb8"s + std::string(11, '\0') + "\1"s);
	EXPECT_TRUE(read_answer(query, answer, 7, found));
	EXPECT_EQ(addresses(), "[2001:db8::1]:7 ");
}

TEST_F(NameQuery, an_answer_to_another_question_is_none)
{
	for (std::size_t byte : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{14}, query.size() - 3, query.size() - 1}) {
		std::string other = answer;
		other[byte] = static_cast<char>(other[byte] ^ (byte == 2 ? 0x80 : 1));
		EXPECT_FALSE(read_answer(query, other, 7, found)) << byte;
	}
	EXPECT_FALSE(read_answer(query, query, 7, found));
	EXPECT_TRUE(found.empty());
}

TEST_F(NameQuery, an_answer_that_was_cut_off_gives_what_it_has_or_nothing)
{
	for (std::size_t size = 0; size < answer.size(); ++size) {
		found.clear();
		read_answer(query, answer.substr(0, size), 7, found);
		EXPECT_LE(found.size(), 1u) << size;
	}
}

TEST_F(NameQuery, what_is_no_name_is_not_asked_for)
{
	EXPECT_EQ(name_query(std::string(300, 'a'), AF_INET), "");
	EXPECT_EQ(name_query(std::string(64, 'a').append(".example"), AF_INET), "");
}

}
