// SPDX-License-Identifier: GPL-2.0
#include "kernel/filter.h"

#include <nftables/libnftables.h>

#include "model/outside.h"

namespace wgctl {

namespace {

/* One conversation with nftables; it belongs to the namespace it is made in. */
class Nftables {
public:
	Nftables() : context_(nft_ctx_new(NFT_CTX_DEFAULT))
	{
		if (!context_)
			throw Failure{"nftables: cannot begin"};
		nft_ctx_buffer_output(context_);
		nft_ctx_buffer_error(context_);
		nft_ctx_output_set_flags(context_, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_PRIO);
	}
	Nftables(const Nftables &) = delete;
	~Nftables() { nft_ctx_free(context_); }

	bool run(const std::string &commands) { return nft_run_cmd_from_buffer(context_, commands.c_str()) == 0; }
	std::string output() { return nft_ctx_get_output_buffer(context_); }
	/* The first line of what went wrong. */
	std::string error()
	{
		std::string text = nft_ctx_get_error_buffer(context_);
		return text.substr(0, text.find('\n'));
	}

private:
	nft_ctx *context_;
};

}

void NftFilter::run(const std::string &commands)
{
	Nftables nftables;

	if (!nftables.run(commands))
		throw Failure{"nftables: " + nftables.error()};
}

std::string NftFilter::list(const std::string &table)
{
	Nftables nftables;

	return nftables.run("list table " + table + "\n") ? nftables.output() : "";
}

std::string NftFilter::chains()
{
	Nftables nftables;

	return nftables.run("list chains\n") ? nftables.output() : "";
}

}
