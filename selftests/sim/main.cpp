// SPDX-License-Identifier: GPL-2.0
/* Runs the scenarios, each in a process of its own so that a failing one (or a sanitizer's abort) ends alone, and prints TAP.
 *
 * usage: sim [-n SEEDS] [-s SEED] [-o SCENARIO] [-j JOBS] [-e] [-v]
 *   -e: each seed of the long scenarios too, of which else only some are run
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "scenario.h"

namespace sim {

static Scenario *first;

Scenario::Scenario(const char *name, void (*run)(u64), u32 every) : name(name), run(run), every(every), next(nullptr)
{
	Scenario **at = &first;

	while (*at)
		at = &(*at)->next;
	*at = this;
}

} // namespace sim

using namespace sim;

namespace {

struct Shared {
	u64 seed, runs;
};

double seconds_now()
{
	timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool each_seed;

struct Child {
	const Scenario *scenario;
	Shared *shared;
	int output;
	double started;
};

int start(const Scenario &scenario, u64 seeds, const u64 *only_seed, Child &child)
{
	const itimerval limit = {{}, {120, 0}};		/* of processor time: on a busy machine nothing else ends in time */
	int output[2];

	child.scenario = &scenario;
	child.shared = static_cast<Shared *>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	child.started = seconds_now();
	FILE *file = tmpfile();
	output[0] = fileno(file);
	child.output = output[0];
	fflush(stdout);
	int pid = fork();
	if (pid != 0)
		return pid;
	dup2(child.output, 1);
	dup2(child.output, 2);
	run_name.scenario = scenario.name;
	for (u64 seed = only_seed ? *only_seed : 1; seed <= (only_seed ? *only_seed : seeds); seed += each_seed ? 1 : scenario.every) {
		child.shared->seed = run_name.seed = seed;
		setitimer(ITIMER_PROF, &limit, nullptr);
		scenario.run(seed);
		child.shared->runs++;
	}
	if (!child.shared->runs)
		fail("no seed was run");
	exit(0);	/* not _exit(): it would lose a coverage run's counts */
}

} // namespace

int main(int argc, char **argv)
{
	u64 seeds = 500, seed = 0, count = 0, failed = 0, jobs = 1;
	const char *only = nullptr;
	bool one_seed = false;
	std::map<int, Child> children;

	for (int option; (option = getopt(argc, argv, "n:s:o:j:ev")) != -1;)
		switch (option) {
		case 'n': seeds = strtoull(optarg, nullptr, 10); break;
		case 's': seed = strtoull(optarg, nullptr, 10); one_seed = true; break;
		case 'o': only = optarg; break;
		case 'j': jobs = strtoull(optarg, nullptr, 10); break;
		case 'e': each_seed = true; break;
		case 'v': run_name.verbose = true; break;
		default: fprintf(stderr, "usage: sim [-n SEEDS] [-s SEED] [-o SCENARIO] [-j JOBS] [-e] [-v]\n"); return 2;
		}
	auto reap = [&] {
		int status, pid = wait(&status);
		Child child = children.at(pid);
		char line[4096];

		children.erase(pid);
		bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		count++;
		printf("%s %llu - %s # %llu seeds, %.1f s\n", ok ? "ok" : "not ok", static_cast<unsigned long long>(count), child.scenario->name,
		       static_cast<unsigned long long>(child.shared->runs), seconds_now() - child.started);
		if (!ok) {
			failed++;
			if (WIFSIGNALED(status))
				printf("# killed by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
			printf("# replay: make -C selftests/sim run SEED=%llu ONLY=%s\n", static_cast<unsigned long long>(child.shared->seed),
			       child.scenario->name);
		}
		lseek(child.output, 0, SEEK_SET);
		FILE *output = fdopen(child.output, "r");
		while (fgets(line, sizeof(line), output))
			printf("%s%s", line[0] == '#' ? "" : "# ", line);
		fclose(output);
		munmap(child.shared, sizeof(Shared));
		fflush(stdout);
	};
	for (const Scenario *scenario = first; scenario; scenario = scenario->next) {
		Child child;

		if (only && strcmp(only, scenario->name) != 0)
			continue;
		while (children.size() >= jobs)
			reap();
		int pid = start(*scenario, seeds, one_seed ? &seed : nullptr, child);
		if (pid < 0) {
			perror("fork");
			return 2;
		}
		children.emplace(pid, child);
	}
	while (!children.empty())
		reap();
	printf("1..%llu\n", static_cast<unsigned long long>(count));
	return failed || count == 0;
}
