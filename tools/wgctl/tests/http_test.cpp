// SPDX-License-Identifier: GPL-2.0
#include "host/http.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <thread>

#include "model/descriptor.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

WebPage hello()
{
	return {"text/plain", "hello\n"};
}

/* At unix:PATH or 127.0.0.1:PORT. */
int connect_to(const std::string &place)
{
	bool is_file = place.starts_with("unix:");
	sockaddr_un file{};
	sockaddr_in port{};
	int fd = socket(is_file ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	file.sun_family = AF_UNIX;
	place.copy(file.sun_path, sizeof(file.sun_path) - 1, 5);
	port.sin_family = AF_INET;
	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!is_file)
		port.sin_port = htons(static_cast<std::uint16_t>(std::stoul(place.substr(place.find(':') + 1))));
	if ((is_file ? connect(fd, reinterpret_cast<sockaddr *>(&file), sizeof(file)) : connect(fd, reinterpret_cast<sockaddr *>(&port), sizeof(port))) == 0)
		return fd;
	close(fd);
	return -1;
}

std::string exchange(const Descriptor &connection, std::string_view request)
{
	std::string answer;
	char buffer[1024];

	send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL);
	for (ssize_t size; (size = recv(connection.get(), buffer, sizeof(buffer), 0)) > 0;)
		answer.append(buffer, size);
	return answer;
}

/* A server until the end of the test. */
class Running {
public:
	explicit Running(const std::string &place, std::function<WebPage()> page = hello) : place_(place), page_(std::move(page))
	{
		thread_ = std::thread([this] { failure = failure_of([this] { HttpServer().serve(place_, "/metrics", page_); }); });
		for (int attempt = 0; attempt < 500 && !is_listening(); ++attempt)
			std::this_thread::sleep_for(std::chrono::milliseconds(10));
	}
	~Running()
	{
		if (thread_.joinable())
			stop();
	}
	void stop()
	{
		pthread_kill(thread_.native_handle(), SIGTERM);
		thread_.join();
	}
	std::string failure;

private:
	bool is_listening() { return Descriptor(connect_to(place_)).get() >= 0; }

	std::string place_;
	std::function<WebPage()> page_;
	std::thread thread_;
};

/* Nobody listens there; somebody may be faster, which is unlikely. */
std::string free_loopback()
{
	sockaddr_in address{};
	socklen_t size = sizeof(address);
	Descriptor tried(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(tried.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address));
	getsockname(tried.get(), reinterpret_cast<sockaddr *>(&address), &size);
	return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

struct Http : testing::Test {
	char folder[32] = "/tmp/wgctl-http.XXXXXX";
	std::string path, place;

	Http() : path(std::string(mkdtemp(folder)) + "/socket"), place("unix:" + path) {}
	~Http() override
	{
		unlink(path.c_str());
		rmdir(folder);
	}
	std::string ask(std::string_view request) { return exchange(Descriptor(connect_to(place)), request); }
	std::string status_of(std::string_view request) { return ask(request).substr(9, 3); }
};

constexpr std::string_view GET = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

}

TEST_F(Http, page_is_answered_as_a_whole)
{
	Running server(place);
	std::string whole = ask(GET), head = ask("HEAD /metrics HTTP/1.0\r\n\r\n");

	EXPECT_TRUE(whole.starts_with("HTTP/1.1 200 OK\r\n")) << whole;
	EXPECT_NE(whole.find("Content-Type: text/plain\r\n"), whole.npos);
	EXPECT_TRUE(whole.ends_with("\r\n\r\nhello\n"));
	EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
	EXPECT_EQ(status_of("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"), "200");
}

TEST_F(Http, everything_else_is_refused)
{
	Running server(place);

	for (const auto &[request, answer] : std::map<std::string, std::string>{
		     {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		     {"GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		     {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "405"},
		     {"GET /metrics HTTP/2\r\nHost: x\r\n\r\n", "400"},
		     {"GET /metrics HTTP/1.1\r\n\r\n", "400"},
		     {"GET /metrics HTTP/1.1\r\nHost: x\r\nx: " + std::string(REQUEST_LIMIT, 'x') + "\r\n\r\n", "431"}})
		EXPECT_EQ(status_of(request), answer) << request.substr(0, 40);
}

TEST_F(Http, page_that_fails_says_why)
{
	Running server(place, []() -> WebPage { throw Failure{"no such device"}; });
	std::string answer = ask(GET);

	EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
	EXPECT_TRUE(answer.ends_with("\r\n\r\nno such device\n"));
}

/* A name that somebody gave this machine's address, to read the page with a browser here. */
TEST_F(Http, other_names_than_this_machines_are_refused)
{
	place = free_loopback();
	Running server(place);
	auto request_to = [](std::string_view name) { return "GET /metrics HTTP/1.1\r\nHost: " + std::string(name) + "\r\n\r\n"; };

	for (std::string_view name : {"127.0.0.1", "127.0.0.1:9586", "localhost", "LocalHost:1", "[::1]:9586"})
		EXPECT_EQ(status_of(request_to(name)), "200") << name;
	for (std::string_view name : {"evil.example", "127.evil.example", "127.0.0.1.evil.example:9586", "[::1", "192.0.2.1", "::1"})
		EXPECT_EQ(status_of(request_to(name)), "403") << name;
}

TEST_F(Http, server_survives_bad_clients)
{
	Running server(place);
	std::vector<Descriptor> silent;

	for (std::size_t i = 0; i + 1 < CONNECTION_LIMIT; ++i)
		silent.emplace_back(connect_to(place));
	EXPECT_FALSE(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 200 "));
	ask(std::string(2 * REQUEST_LIMIT, 'x'));
	for (int i = 0; i < 3; ++i) {
		Descriptor leaving(connect_to(place));
		send(leaving.get(), GET.data(), GET.size() - i, MSG_NOSIGNAL);
	}
	EXPECT_TRUE(ask(GET).ends_with("\r\n\r\nhello\n"));
	server.stop();
	EXPECT_EQ(server.failure, "");
}

TEST_F(Http, silent_clients_are_given_up)
{
	Running server(place);
	std::vector<Descriptor> silent;

	for (std::size_t i = 0; i < CONNECTION_LIMIT; ++i)
		silent.emplace_back(connect_to(place));
	EXPECT_TRUE(ask(GET).ends_with("\r\n\r\nhello\n"));
}

TEST_F(Http, socket_is_private_and_goes_with_the_server)
{
	struct stat status;
	Running server(place);

	ASSERT_EQ(stat(path.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 0777, 0660u);
	server.stop();
	EXPECT_NE(stat(path.c_str(), &status), 0);
}

TEST_F(Http, only_an_orphaned_socket_is_replaced)
{
	auto serve = [this] { HttpServer().serve(place, "/metrics", hello); };
	{
		Running server(place);
		EXPECT_EQ(failure_of(serve), "cannot listen at " + place + ": Address already in use");
	}
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	{
		Descriptor orphan(socket(AF_UNIX, SOCK_STREAM, 0));
		ASSERT_EQ(bind(orphan.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
	}
	Running server(place);
	EXPECT_TRUE(ask(GET).starts_with("HTTP/1.1 200 "));
}

TEST_F(Http, only_this_machine_is_listened_to)
{
	for (std::string elsewhere : {"0.0.0.0:1", "192.0.2.1:1", "[::]:1", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:x", "x:1", "", "[::1]"})
		EXPECT_EQ(failure_of([&] { HttpServer().serve(elsewhere, "/", hello); })
				  .find("cannot listen at " + wgctl::in_quotes(elsewhere) + ": the place is unix:PATH, 127.0.0.1:PORT or [::1]:PORT"), 0u);
	EXPECT_NE(failure_of([] { HttpServer().serve("unix:", "/", hello); }), "");
	EXPECT_NE(failure_of([] { HttpServer().serve("unix:" + std::string(200, 'x'), "/", hello); }), "");
}

}
