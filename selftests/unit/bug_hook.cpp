// SPDX-License-Identifier: GPL-2.0
#include "bug_hook.h"
#include "rt/bug.h"

#include <gtest/gtest.h>

namespace wg::test {
namespace {

bool expected;
int bugs;

} // namespace

ExpectBugs::ExpectBugs()
{
	expected = true;
	bugs = 0;
}

ExpectBugs::~ExpectBugs()
{
	expected = false;
}

int ExpectBugs::count() const
{
	return bugs;
}

} // namespace wg::test

extern "C" void wg_kernel_bug(const char *what)
{
	if (wg::test::expected)
		wg::test::bugs++;
	else
		ADD_FAILURE() << "bug hook: " << what;
}
