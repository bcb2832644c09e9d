// SPDX-License-Identifier: GPL-2.0
/* GoogleTest's macros, as far as selftests/unit uses them, for the same tests inside the kernel: each TEST is a function that
 * selftests/kunit/make-suites lists as a KUnit case; what it expects in vain reaches KUnit with file, line and text.
 *
 * Not here: parametrised tests (aead_test.cpp stays on the host) and death tests, whose death would be the kernel's.
 */
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wg::kunit {

/* The running case, while it lives. @test: struct kunit. One at a time: KUnit runs them so. */
class Running {
public:
	explicit Running(void *test);
	~Running();
	Running(const Running &) = delete;
};

/* Has an expectation of the running case failed? */
bool has_failed();

/* What was expected in vain; told when it ends. */
class Failure {
public:
	Failure(const char *file, int line, const char *what) : file_(file), what_(what), line_(line) {}
	~Failure();
	Failure(const Failure &) = delete;
	Failure &operator<<(const char *text) { return more(text); }
	Failure &operator<<(const std::string &text) { return more(text.c_str()); }
	template <typename T> Failure &operator<<(const T &value)
	{
		if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
			number(static_cast<long long>(value));
		return *this;
	}

private:
	Failure &more(const char *text);
	void number(long long value);

	const char *file_, *what_;
	int line_;
	std::string more_;
};

/* For `return Stop() = Failure(...) << ...;` in a function without a result. */
struct Stop {
	void operator=(const Failure &) const {}
};

template <typename A, typename B> bool equal(const A &a, const B &b) { return a == b; }
inline bool same_text(const char *a, const char *b) { return std::string_view(a) == b; }

} // namespace wg::kunit

namespace testing {

class Test {
protected:
	virtual ~Test() = default;
};

} // namespace testing

namespace wg {
inline bool HasFatalFailure() { return kunit::has_failed(); }
} // namespace wg

#define WG_KUNIT_NAME(suite, name) suite##_##name##_case
#define TEST(suite, name) static void WG_KUNIT_NAME(suite, name)()
#define TEST_F(fixture, name)                                                       \
	struct fixture##_##name : fixture {                                         \
		void body();                                                        \
	};                                                                          \
	static void WG_KUNIT_NAME(fixture, name)() { std::make_unique<fixture##_##name>()->body(); } \
	void fixture##_##name::body()

#define WG_KUNIT_EXPECT(holds, what)     \
	if (static_cast<bool>(holds)) {  \
	} else                           \
		::wg::kunit::Failure(__FILE__, __LINE__, what)
#define WG_KUNIT_ASSERT(holds, what)     \
	if (static_cast<bool>(holds)) {  \
	} else                           \
		return ::wg::kunit::Stop() = ::wg::kunit::Failure(__FILE__, __LINE__, what)

#define EXPECT_TRUE(a) WG_KUNIT_EXPECT(a, #a)
#define EXPECT_FALSE(a) WG_KUNIT_EXPECT(!(a), "not: " #a)
#define EXPECT_EQ(a, b) WG_KUNIT_EXPECT(::wg::kunit::equal(a, b), #a " == " #b)
#define EXPECT_NE(a, b) WG_KUNIT_EXPECT(!::wg::kunit::equal(a, b), #a " != " #b)
#define EXPECT_LT(a, b) WG_KUNIT_EXPECT((a) < (b), #a " < " #b)
#define EXPECT_LE(a, b) WG_KUNIT_EXPECT((a) <= (b), #a " <= " #b)
#define EXPECT_GT(a, b) WG_KUNIT_EXPECT((a) > (b), #a " > " #b)
#define EXPECT_GE(a, b) WG_KUNIT_EXPECT((a) >= (b), #a " >= " #b)
#define EXPECT_STREQ(a, b) WG_KUNIT_EXPECT(::wg::kunit::same_text(a, b), #a " is " #b)
#define ASSERT_TRUE(a) WG_KUNIT_ASSERT(a, #a)
#define ASSERT_FALSE(a) WG_KUNIT_ASSERT(!(a), "not: " #a)
#define ASSERT_EQ(a, b) WG_KUNIT_ASSERT(::wg::kunit::equal(a, b), #a " == " #b)
#define ASSERT_LE(a, b) WG_KUNIT_ASSERT((a) <= (b), #a " <= " #b)
#define ASSERT_GT(a, b) WG_KUNIT_ASSERT((a) > (b), #a " > " #b)
#define ADD_FAILURE() ::wg::kunit::Failure(__FILE__, __LINE__, "failed")
/* make-suites leaves *DeathTest out; they need only compile. */
#define GTEST_FLAG_SET(flag, value) (void)0
#define EXPECT_DEATH(statement, pattern) (void)0
