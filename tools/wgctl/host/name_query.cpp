// SPDX-License-Identifier: GPL-2.0
#include "host/name_query.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "model/values.h"

namespace wgctl {

namespace {

struct Message {
	ns_msg handle;
	ns_rr question;
	bool is_whole;

	explicit Message(std::string_view text) :
		is_whole(ns_initparse(reinterpret_cast<const u_char *>(text.data()), static_cast<int>(text.size()), &handle) == 0 &&
			 ns_msg_count(handle, ns_s_qd) == 1 && ns_parserr(&handle, ns_s_qd, 0, &question) == 0)
	{
	}
};

}

std::string name_query(const std::string &host, std::uint16_t family)
{
	std::array<u_char, NS_PACKETSZ> message;
	int size = res_mkquery(ns_o_query, host.c_str(), ns_c_in, family == AF_INET6 ? ns_t_aaaa : ns_t_a, nullptr, 0, nullptr, message.data(),
			       static_cast<int>(message.size()));

	return std::string(reinterpret_cast<const char *>(message.data()), static_cast<std::size_t>(std::max(size, 0)));
}

bool read_answer(std::string_view query, std::string_view answer, std::uint16_t port, std::vector<Endpoint> &found)
{
	Message asked(query), said(answer);

	if (!asked.is_whole || !said.is_whole || !ns_msg_getflag(said.handle, ns_f_qr) || ns_msg_id(said.handle) != ns_msg_id(asked.handle) ||
	    ns_rr_type(said.question) != ns_rr_type(asked.question) || ns_rr_class(said.question) != ns_rr_class(asked.question) ||
	    strcasecmp(ns_rr_name(said.question), ns_rr_name(asked.question)) != 0)
		return false;
	/* What an alias leads to counts, so the names of the records do not. */
	for (int i = 0; i < ns_msg_count(said.handle, ns_s_an); ++i) {
		ns_rr record;
		Prefix address;
		if (ns_parserr(&said.handle, ns_s_an, i, &record) != 0)
			break;
		address.family = ns_rr_type(record) == ns_t_aaaa ? AF_INET6 : AF_INET;
		if (ns_rr_type(record) != ns_rr_type(asked.question) || ns_rr_rdlen(record) != address.bits() / 8)
			continue;
		std::memcpy(address.address.data(), ns_rr_rdata(record), address.bits() / 8);
		found.push_back(endpoint_of(address, port));
	}
	return true;
}

}
