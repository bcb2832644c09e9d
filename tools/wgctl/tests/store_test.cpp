// SPDX-License-Identifier: GPL-2.0
/* SystemStore on a real file system. */
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "host/store.h"
#include "host/system.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

/* On file systems with and without files that have no name. */
struct StoreTest : testing::TestWithParam<SystemStore::Unnamed> {
	std::string folder = std::filesystem::temp_directory_path() / "wgctl-store-XXXXXX", path;
	SystemStore store{GetParam()};

	StoreTest()
	{
		EXPECT_NE(mkdtemp(folder.data()), nullptr);
		path = folder + "/wg0.conf";
	}
	~StoreTest() override { std::filesystem::remove_all(folder); }
	static std::string text_of(const std::string &file)
	{
		std::ostringstream text;
		text << std::ifstream(file).rdbuf();
		return text.str();
	}
	static unsigned mode_of(const std::string &file)
	{
		struct stat status {};
		EXPECT_EQ(stat(file.c_str(), &status), 0);
		return status.st_mode & 07777;
	}
	/* The program dies when it has written a part. */
	template<class Action>
	static void die_while_writing(Action action)
	{
		pid_t child = fork();
		if (!child) {
			struct rlimit little{10, 10}, none{0, 0};
			setrlimit(RLIMIT_FSIZE, &little);
			setrlimit(RLIMIT_CORE, &none);
			action();
			_exit(0);
		}
		int status = 0;
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << status;
	}
	/* What is left of a file that was being written. */
	long rest() const
	{
		int file = GetParam() == SystemStore::Unnamed::never ? -1 : open(folder.c_str(), O_TMPFILE | O_WRONLY, 0600);
		return file >= 0 ? close(file) : 1;
	}
	long files() const { return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()); }
};

}

TEST_P(StoreTest, a_new_file_is_private_and_takes_no_place_that_is_taken)
{
	store.create(path, "one", 0600);
	EXPECT_EQ(mode_of(path), 0600u);
	EXPECT_NE(failure_of([&] { store.create(path, "two", 0600); }).find("File exists"), std::string::npos);
	EXPECT_EQ(text_of(path), "one");
	/* Not even a link that leads nowhere is followed. */
	std::filesystem::create_symlink(folder + "/nowhere", folder + "/link");
	EXPECT_NE(failure_of([&] { store.create(folder + "/link", "two", 0600); }), "");
	EXPECT_EQ(files(), 2);
}

TEST_P(StoreTest, a_replaced_file_keeps_its_mode_and_its_link)
{
	store.create(path, "one", 0640);
	std::filesystem::create_symlink(path, folder + "/link");
	store.replace(folder + "/link", "two", 0600);
	EXPECT_EQ(text_of(path), "two");
	EXPECT_EQ(mode_of(path), 0640u);
	EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
	EXPECT_EQ(files(), 2);
}

TEST_P(StoreTest, who_is_killed_leaves_the_file_as_it_was)
{
	die_while_writing([this] { store.create(path, std::string(1000, 'x'), 0600); });
	EXPECT_EQ(files(), rest());
	EXPECT_FALSE(std::filesystem::exists(path));
	store.create(path, "one", 0600);
	die_while_writing([this] { store.replace(path, std::string(1000, 'x'), 0600); });
	EXPECT_EQ(files(), 1 + 2 * rest());
	EXPECT_EQ(text_of(path), "one");
}

TEST_P(StoreTest, a_file_that_cannot_be_is_told_by_its_name)
{
	EXPECT_EQ(failure_of([this] { store.create(folder + "/no/wg0.conf", "one", 0600); }), folder + "/no/wg0.conf: No such file or directory");
	EXPECT_EQ(files(), 0);
}

/* Each puts another file in place of the one that is locked, and has more to do then. */
TEST_P(StoreTest, one_at_a_time_changes_a_file)
{
	constexpr int THREADS = 4, TIMES = 25;
	std::vector<std::thread> threads;
	std::atomic<int> inside = 0, too_many = 0;

	store.create(path, "", 0600);
	for (int i = 0; i < THREADS; ++i)
		threads.emplace_back([&] {
			SystemStore mine(GetParam());
			for (int time = 0; time < TIMES; ++time) {
				std::shared_ptr<void> lock = mine.lock(path);
				too_many += inside++;
				mine.replace(path, text_of(path) + "x", 0600);
				std::this_thread::sleep_for(std::chrono::milliseconds(1));
				--inside;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(text_of(path), std::string(THREADS * TIMES, 'x'));
	EXPECT_EQ(too_many, 0);
}

TEST_P(StoreTest, who_may_not_look_knows_that)
{
	int status = 0;

	store.create(path, "", 0600);
	EXPECT_FALSE(store.is_hidden(path) || store.is_hidden(folder + "/none"));
	chmod(folder.c_str(), 0);
	pid_t child = fork();
	/* Root may look everywhere. */
	if (child == 0)
		_exit((geteuid() == 0 && setuid(65534) < 0) || !store.is_hidden(path) || store.exists(path));
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	chmod(folder.c_str(), 0700);
}

TEST_P(StoreTest, a_descriptor_is_read_from_where_it_is)
{
	SystemFiles files;

	std::ofstream(path) << "one two";
	int file = open(path.c_str(), O_RDONLY);
	lseek(file, 4, SEEK_SET);
	EXPECT_EQ(plain(files.read("/dev/fd/" + std::to_string(file), 100)), "two");
	EXPECT_EQ(fcntl(file, F_GETFD) & ~FD_CLOEXEC, 0);
	close(file);
	EXPECT_NE(failure_of([&] { files.read("/dev/fd/" + std::to_string(file), 100); }).find("Bad file descriptor"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, StoreTest, testing::Values(SystemStore::Unnamed::where_possible, SystemStore::Unnamed::never));

}
