// SPDX-License-Identifier: GPL-2.0
/* The bug hook of the unit tests: a broken invariant fails the test that broke it, unless it says that it means to. */
#pragma once

namespace wg::test {

/* While it lives, calls of the bug hook are counted instead. */
class ExpectBugs {
public:
	ExpectBugs();
	~ExpectBugs();
	ExpectBugs(const ExpectBugs &) = delete;
	ExpectBugs &operator=(const ExpectBugs &) = delete;
	int count() const;
};

} // namespace wg::test
