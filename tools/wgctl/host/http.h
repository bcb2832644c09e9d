// SPDX-License-Identifier: GPL-2.0
/* A web server for one page (libmicrohttpd): enough for those who collect metrics.
 *
 * It listens where only this machine can reach it, and answers no other name than this machine's. Whatever
 * a client does costs a bounded amount of memory and time; every connection carries one request.
 */
#pragma once

#include "model/machine.h"

namespace wgctl {

constexpr std::size_t REQUEST_LIMIT = 8 << 10;
constexpr unsigned CONNECTION_LIMIT = 16, CONNECTION_SECONDS = 5;

class HttpServer : public WebServer {
public:
	void serve(const std::string &place, const std::string &path, const std::function<WebPage()> &page) override;
};

}
