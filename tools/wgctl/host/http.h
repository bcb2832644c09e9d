// SPDX-License-Identifier: GPL-2.0
/* A web server for one page, in one thread: enough for those who collect metrics, no more.
 *
 * It listens where only this machine can reach it. Whatever a client does costs a bounded amount of
 * memory and time: requests, their number and how long they may take are limited; every connection
 * carries one request. There is no state a client could break.
 */
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

constexpr std::size_t REQUEST_LIMIT = 8 << 10;
constexpr std::size_t CONNECTION_LIMIT = 16;
constexpr std::int64_t CONNECTION_MILLISECONDS = 5000;

/* The whole answer to what has come in so far; nothing while the request is not complete. */
std::optional<std::string> answer_http(std::string_view received, std::string_view path, const std::function<WebPage()> &page);

class HttpServer : public WebServer {
public:
	void serve(const std::string &place, const std::string &path, const std::function<WebPage()> &page) override;
};

}
