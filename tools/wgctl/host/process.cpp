// SPDX-License-Identifier: GPL-2.0
#include "host/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "model/outside.h"

namespace wgctl {

namespace {

constexpr std::array TYPED{SIGINT, SIGQUIT};
constexpr std::array HELD{SIGINT, SIGTERM, SIGHUP};
constexpr std::array FORWARDED{SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

volatile pid_t forward_to = 0;
volatile sig_atomic_t remembered = 0;
/* Before survive_lost_readers(). */
std::optional<struct sigaction> on_lost_reader;

/* Whoever asks a second time cannot wait for what is begun to end. */
void remember(int signal)
{
	if (remembered) {
		::signal(signal, SIG_DFL);
		raise(signal);
	}
	remembered = 1;
}

void leave(int)
{
	_exit(0);
}

void handle_held(void (*handler)(int))
{
	struct sigaction action {}, before;

	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	for (int signal : HELD)
		if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signal, &action, nullptr);
}

void forward(int signal)
{
	remembered = 1;
	if (forward_to > 0)
		kill(forward_to, signal);
}

/* What is typed at the terminal, all its processes get from the kernel. */
void forward_if_sent(int signal, siginfo_t *info, void *)
{
	if (info->si_code <= 0)
		forward(signal);
}

/* Other dispositions for the time of its life. */
class Dispositions {
public:
	explicit Dispositions(Signals signals)
	{
		struct sigaction action {};

		action.sa_flags = SA_RESTART;
		sigemptyset(&action.sa_mask);
		if (signals == Signals::ignore) {
			action.sa_handler = SIG_IGN;
		} else {
			action.sa_flags |= SA_SIGINFO;
			action.sa_sigaction = forward_if_sent;
		}
		for (int signal : TYPED)
			change(signal, action);
		if (signals == Signals::ignore)
			return;
		action.sa_flags = SA_RESTART;
		action.sa_handler = forward;
		for (int signal : FORWARDED)
			change(signal, action);
	}
	~Dispositions() { restore(); }

	void restore()
	{
		for (const auto &[signal, before] : saved_)
			sigaction(signal, &before, nullptr);
		saved_.clear();
	}

private:
	/* What is ignored, as under nohup(1), stays ignored. */
	void change(int signal, const struct sigaction &action)
	{
		struct sigaction before;

		sigaction(signal, nullptr, &before);
		saved_.emplace_back(signal, before);
		if (before.sa_handler != SIG_IGN)
			sigaction(signal, &action, nullptr);
	}

	std::vector<std::pair<int, struct sigaction>> saved_;
};

}

namespace {

bool are_held = false;

}

bool hold_signals()
{
	handle_held(remember);
	return std::exchange(are_held, true);
}

void release_signals()
{
	are_held = false;
	handle_held(leave);
}

void survive_lost_readers()
{
	struct sigaction ignored {}, before;

	ignored.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &ignored, &before) == 0)
		on_lost_reader = before;
}

bool is_interrupted()
{
	return remembered;
}

int run_process(Signals signals, const std::function<int()> &child)
{
	sigset_t all, before;
	int status = 0;

	/* A signal that comes before the child is known waits until it is. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	Dispositions dispositions(signals);
	pid_t pid = fork();
	if (pid == 0) {
		dispositions.restore();
		if (on_lost_reader)
			sigaction(SIGPIPE, &*on_lost_reader, nullptr);
		sigprocmask(SIG_SETMASK, &before, nullptr);
		/* What it throws must not undo the parent's work. */
		try {
			_exit(child());
		} catch (...) {
			_exit(126);
		}
	}
	int error = errno;
	forward_to = pid;
	sigprocmask(SIG_SETMASK, &before, nullptr);
	if (pid < 0)
		throw Failure{std::string("fork: ") + std::strerror(error)};
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			throw Failure{std::string("waitpid: ") + std::strerror(errno)};
	forward_to = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int replace_by_program(const std::vector<std::string> &arguments)
{
	std::vector<char *> pointers;

	for (const std::string &argument : arguments)
		pointers.push_back(const_cast<char *>(argument.c_str()));
	pointers.push_back(nullptr);
	execvp(pointers[0], pointers.data());
	return errno == ENOENT ? 127 : 126;
}

}
