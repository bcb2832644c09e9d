// SPDX-License-Identifier: GPL-2.0
/* The real terminal, as a page. */
#pragma once

#include <signal.h>
#include <termios.h>

#include "model/descriptor.h"
#include "model/machine.h"

namespace wgctl {

class SystemScreen : public Screen {
public:
	SystemScreen() = default;
	SystemScreen(const SystemScreen &) = delete;
	~SystemScreen() override { close(); }
	void open() override;
	void close() override;
	Size size() override;
	void paint(std::string_view page) override;
	Event wait(std::int64_t milliseconds, char &key) override;

private:
	void enter();
	void leave();
	Event signalled();

	bool is_open_ = false, has_keys_ = false;
	termios before_{};
	sigset_t signals_before_{};
	Descriptor signals_{-1};
};

}
