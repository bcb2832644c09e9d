// SPDX-License-Identifier: GPL-2.0
/* Work in another network namespace, and the way back. */
#pragma once

#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

/* The program is there for the time of its life. */
class Visit {
public:
	Visit(const Namespace &where, Namespaces &namespaces) : namespaces_(namespaces), before_(namespaces.current())
	{
		namespaces_.enter(where);
	}
	Visit(const Visit &) = delete;
	~Visit()
	{
		try {
			namespaces_.enter(before_);
		} catch (const Failure &) {
			/* Whoever could leave can return; only the end of the program is left otherwise. */
			std::terminate();
		}
	}

private:
	Namespaces &namespaces_;
	Namespace before_;
};

}
