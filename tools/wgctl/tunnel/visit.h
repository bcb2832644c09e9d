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

/* The interfaces of another namespace, for a program that stays where it is. */
class DevicesThere : public Devices {
public:
	DevicesThere(Devices &devices, Namespace where, Namespaces &namespaces) :
		devices_(devices), where_(std::move(where)), namespaces_(namespaces)
	{
	}
	std::vector<std::string> names() override
	{
		Visit visit(where_, namespaces_);
		return devices_.names();
	}
	Device get(const std::string &name) override
	{
		Visit visit(where_, namespaces_);
		return devices_.get(name);
	}
	void set(const Device &change) override
	{
		Visit visit(where_, namespaces_);
		devices_.set(change);
	}

private:
	Devices &devices_;
	Namespace where_;
	Namespaces &namespaces_;
};

}
