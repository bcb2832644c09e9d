/* SPDX-License-Identifier: GPL-2.0 */
/* As much of a kernel as its ChaCha20-Poly1305 files need to be compiled, unchanged, for userspace.
 * The FPU section costs nothing here, static keys are plain variables: both favour the kernel's code.
 */
#define SYM_FUNC_START(name) .globl name; .type name, @function; .balign 16; name:
#define SYM_FUNC_START_LOCAL(name) .type name, @function; .balign 16; name:
#define SYM_FUNC_END(name) .size name, . - name
#define RET ret
#define FRAME_BEGIN
#define FRAME_END
#if defined(__ASSEMBLER__) && defined(__aarch64__)
#define CPU_BE(code...)
#define L1_CACHE_SHIFT 6
.macro adr_l to, symbol
	adrp	\to, \symbol
	add	\to, \to, :lo12:\symbol
.endm
.macro frame_push registers		/* always ten: from x19 on */
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
.endm
.macro frame_pop
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
.endm
#endif

#ifndef __ASSEMBLER__
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint64_t __le64;

#define CONFIG_CRYPTO_LIB_POLY1305_RSIZE 11
#define IS_ENABLED(option) 1
#define EXPORT_SYMBOL(name)
#define MODULE_LICENSE(name)
#define asmlinkage
#define __ro_after_init
#define __aligned(size) __attribute__((aligned(size)))
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#define DEFINE_STATIC_KEY_FALSE(name) bool name
#define static_branch_likely(key) likely(*(key))
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define WARN_ON_ONCE(condition) (condition)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SZ_4K 4096
#define min(a, b) ((a) < (b) ? (a) : (b))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define round_up(value, multiple) (((value) + (multiple) - 1) / (multiple) * (multiple))
#define round_down(value, multiple) ((value) / (multiple) * (multiple))
#define DIV_ROUND_UP(value, part) (((value) + (part) - 1) / (part))
#define cpu_to_le64(value) (value)
#define ZERO_PAGE(address) zero_page
#define page_address(page) (page)
#define CHACHA20POLY1305_KEY_SIZE 32
#define XCHACHA20POLY1305_NONCE_SIZE 24

static const u8 zero_page[SZ_4K];

static inline bool crypto_simd_usable(void) { return true; }
static inline void kernel_fpu_begin(void) { }
static inline void kernel_fpu_end(void) { }
static inline void kernel_neon_begin(void) { }
static inline void kernel_neon_end(void) { }
struct shash_desc;
static inline void *shash_desc_ctx(struct shash_desc *descriptor) { return descriptor; }
static inline u32 rol32(u32 word, int bits) { return word << bits | word >> (32 - bits); }
static inline u32 get_unaligned_le32(const void *at)
{
	u32 word;

	memcpy(&word, at, sizeof(word));
	return word;
}
static inline void put_unaligned_le32(u32 word, void *at) { memcpy(at, &word, sizeof(word)); }
static inline void memzero_explicit(void *at, size_t size)
{
	memset(at, 0, size);
	__asm__ volatile("" : : "r"(at) : "memory");
}
static inline void crypto_xor_cpy(u8 *to, const u8 *a, const u8 *b, unsigned int size)
{
	for (; size >= 8; size -= 8, to += 8, a += 8, b += 8) {
		u64 left, right;

		memcpy(&left, a, 8);
		memcpy(&right, b, 8);
		left ^= right;
		memcpy(to, &left, 8);
	}
	while (size-- > 0)
		*to++ = *a++ ^ *b++;
}
static inline unsigned long crypto_memneq(const void *a, const void *b, size_t size)
{
	const u8 *left = a, *right = b;
	unsigned long difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= left[i] ^ right[i];
	return difference;
}
#endif
