// SPDX-License-Identifier: GPL-2.0
#include "host/http.h"

#include <gtest/gtest.h>
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

/* The first line of the answer; "more" when the request is not complete. */
std::string answer_to(std::string_view request)
{
	std::string answer = answer_http(request, "/metrics", hello).value_or("more\r\n");
	return answer.substr(0, answer.find('\r'));
}

int connect_to(const std::string &path)
{
	sockaddr_un address{};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0)
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

/* A server at a socket of its own, until the end of the test. */
class Running {
public:
	explicit Running(const std::string &path) : path_(path)
	{
		thread_ = std::thread([this] { failure = failure_of([this] { HttpServer().serve("unix:" + path_, "/metrics", hello); }); });
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
	bool is_listening() { return Descriptor(connect_to(path_)).get() >= 0; }

	std::string path_;
	std::thread thread_;
};

struct Http : testing::Test {
	char folder[32] = "/tmp/wgctl-http.XXXXXX";
	std::string path;

	Http() { path = std::string(mkdtemp(folder)) + "/socket"; }
	~Http() override
	{
		unlink(path.c_str());
		rmdir(folder);
	}
};

constexpr std::string_view GET = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

}

TEST(HttpAnswer, page_is_answered_as_a_whole)
{
	EXPECT_EQ(answer_http(GET, "/metrics", hello),
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	EXPECT_EQ(answer_http("HEAD /metrics HTTP/1.0\n\n", "/metrics", hello),
		  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\n");
	EXPECT_TRUE(answer_http("HEAD /other HTTP/1.1\r\n\r\n", "/metrics", hello)->ends_with("\r\n\r\n"));
	EXPECT_EQ(answer_to("GET /metrics?x=1 HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK");
}

TEST(HttpAnswer, incomplete_request_waits)
{
	for (std::size_t size = 0; size < GET.size(); ++size)
		EXPECT_EQ(answer_to(GET.substr(0, size)), "more") << size;
}

TEST(HttpAnswer, everything_else_is_refused)
{
	for (const auto &[request, answer] : std::map<std::string, std::string>{
		     {"GET / HTTP/1.1\r\n\r\n", "404 Not Found"},
		     {"GET /metrics/ HTTP/1.1\r\n\r\n", "404 Not Found"},
		     {"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"},
		     {"GET /metrics HTTP/2\r\n\r\n", "505 HTTP Version Not Supported"},
		     {"GET /metrics\r\n\r\n", "400 Bad Request"},
		     {"GET  HTTP/1.1\r\n\r\n", "400 Bad Request"},
		     {"GET a b HTTP/1.1\r\n\r\n", "400 Bad Request"},
		     {"\r\n\r\n", "400 Bad Request"},
		     {std::string("\0\xff \0\n\n", 6), "400 Bad Request"},
		     {std::string(REQUEST_LIMIT + 1, 'x'), "431 Request Header Fields Too Large"}})
		EXPECT_EQ(answer_to(request), "HTTP/1.1 " + answer) << request.substr(0, 40);
}

TEST(HttpAnswer, page_that_fails_says_why)
{
	std::string answer = answer_http(GET, "/metrics", []() -> WebPage { throw Failure{"no such device"}; }).value();

	EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
	EXPECT_TRUE(answer.ends_with("\r\n\r\nno such device\n"));
}

TEST_F(Http, server_survives_bad_clients)
{
	Running server(path);
	std::vector<Descriptor> silent;

	for (std::size_t i = 0; i + 1 < CONNECTION_LIMIT; ++i)
		silent.emplace_back(connect_to(path));
	EXPECT_TRUE(exchange(Descriptor(connect_to(path)), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
	EXPECT_TRUE(exchange(Descriptor(connect_to(path)), std::string(REQUEST_LIMIT + 1, 'x')).starts_with("HTTP/1.1 431 "));
	for (int i = 0; i < 3; ++i) {
		Descriptor leaving(connect_to(path));
		send(leaving.get(), GET.data(), GET.size() - i, MSG_NOSIGNAL);
	}
	EXPECT_TRUE(exchange(Descriptor(connect_to(path)), GET).ends_with("\r\n\r\nhello\n"));
	server.stop();
	EXPECT_EQ(server.failure, "");
}

TEST_F(Http, silent_clients_are_given_up)
{
	Running server(path);
	std::vector<Descriptor> silent;

	for (std::size_t i = 0; i < CONNECTION_LIMIT; ++i)
		silent.emplace_back(connect_to(path));
	EXPECT_TRUE(exchange(Descriptor(connect_to(path)), GET).ends_with("\r\n\r\nhello\n"));
}

TEST_F(Http, socket_is_private_and_goes_with_the_server)
{
	struct stat status;
	Running server(path);

	ASSERT_EQ(stat(path.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 0777, 0660u);
	server.stop();
	EXPECT_NE(stat(path.c_str(), &status), 0);
}

TEST_F(Http, only_an_orphaned_socket_is_replaced)
{
	auto serve = [this] { HttpServer().serve("unix:" + path, "/metrics", hello); };
	{
		Running server(path);
		EXPECT_EQ(failure_of(serve), "cannot listen at unix:" + path + ": Address already in use");
	}
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	path.copy(address.sun_path, sizeof(address.sun_path) - 1);
	{
		Descriptor orphan(socket(AF_UNIX, SOCK_STREAM, 0));
		ASSERT_EQ(bind(orphan.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
	}
	Running server(path);
	EXPECT_TRUE(exchange(Descriptor(connect_to(path)), GET).starts_with("HTTP/1.1 200 "));
}

TEST_F(Http, only_this_machine_is_listened_to)
{
	for (std::string place : {"0.0.0.0:1", "192.0.2.1:1", "[::]:1", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:x", "x:1", "", "[::1]"})
		EXPECT_EQ(failure_of([&] { HttpServer().serve(place, "/", hello); })
				  .find("cannot listen at " + wgctl::in_quotes(place) + ": the place is unix:PATH, 127.0.0.1:PORT or [::1]:PORT"), 0u);
	EXPECT_NE(failure_of([] { HttpServer().serve("unix:", "/", hello); }), "");
	EXPECT_NE(failure_of([] { HttpServer().serve("unix:" + std::string(200, 'x'), "/", hello); }), "");
}

}
