// SPDX-License-Identifier: GPL-2.0
#include "host/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host/io.h"

namespace wgctl {

namespace {

/* The alternate page, no cursor, no line breaks at the right edge; and back. */
constexpr std::string_view ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view HOME = "\x1b[H";
constexpr std::string_view CLEAR_LINE = "\x1b[K\r\n";
constexpr std::string_view CLEAR_BELOW = "\x1b[J";

void put(std::string_view text)
{
	try {
		write_all(STDOUT_FILENO, text, "");
	} catch (const Failure &) {
		/* The terminal is gone; SIGHUP tells as much. */
	}
}

}

void SystemScreen::open()
{
	sigset_t set;

	if (is_open_)
		return;
	sigemptyset(&set);
	for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH})
		sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, &signals_before_);
	signals_ = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	has_keys_ = tcgetattr(STDIN_FILENO, &before_) == 0;
	is_open_ = true;
	enter();
}

void SystemScreen::close()
{
	if (!is_open_)
		return;
	leave();
	signals_.reset();
	sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
	is_open_ = false;
}

/* Ctrl-C and Ctrl-Z stay signals: they work even when nobody reads keys. */
void SystemScreen::enter()
{
	if (has_keys_) {
		termios raw = before_;
		raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	put(ENTER);
}

void SystemScreen::leave()
{
	put(LEAVE);
	if (has_keys_)
		tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

Screen::Size SystemScreen::size()
{
	winsize window{};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || !window.ws_row || !window.ws_col)
		return {};
	return {window.ws_row, window.ws_col};
}

void SystemScreen::paint(std::string_view page)
{
	std::string text(HOME);
	std::size_t rows = size().rows;

	for (std::size_t row = 1; !page.empty(); ++row) {
		std::size_t end = page.find('\n');
		text += page.substr(0, end);
		page.remove_prefix(end == page.npos ? page.size() : end + 1);
		if (row == rows) {
			text += "\x1b[K";
			break;
		}
		text += CLEAR_LINE;
	}
	/* In one write, or a slow terminal shows halves. */
	put(text.append(CLEAR_BELOW));
}

Screen::Event SystemScreen::signalled()
{
	signalfd_siginfo info{};

	if (read(signals_.get(), &info, sizeof(info)) != sizeof(info))
		return Event::time;
	if (info.ssi_signo == SIGWINCH)
		return Event::resized;
	if (info.ssi_signo != SIGTSTP)
		return Event::quit;
	leave();
	raise(SIGSTOP);
	enter();
	return Event::resized;
}

Screen::Event SystemScreen::wait(std::int64_t milliseconds, char &key)
{
	pollfd waits[] = {{signals_.get(), POLLIN, 0}, {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}};

	key = 0;
	if (poll(waits, std::size(waits), static_cast<int>(milliseconds)) < 0)
		return Event::time;
	if (waits[0].revents)
		return signalled();
	if (!waits[1].revents)
		return Event::time;
	/* A terminal that is readable and has nothing is gone. */
	return read(STDIN_FILENO, &key, 1) == 1 ? Event::key : Event::quit;
}

}
