// SPDX-License-Identifier: GPL-2.0
/* main.c: the generators of bench-native, by way of /sys/kernel/debug/wg_bench.
 *
 * Writing a line runs one, in the namespaces that two open files of the writer stand for; reading gives "COUNT CPU-NANOSECONDS" of the last,
 * the host's name for this kernel's process, and all the CPU-NANOSECONDS it has taken.
 *   packets FROM TO DEVICE SIZE WINDOW MILLISECONDS
 *   handshakes FROM TO DEVICE DEVICES WINDOW		from DEVICE1, DEVICE2 and so on, one packet each
 *   stream FROM TO ADDRESS MILLISECONDS
 *
 * For user-mode Linux only: its kernel is one thread of the host, and that thread's clock says what the work cost whatever else the host does.
 */
#include <linux/debugfs.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include "bench.h"

#ifndef CONFIG_UML
#error "for user-mode Linux only"
#endif

static struct dentry *file;
static struct wg_bench_result last;
static DEFINE_MUTEX(lock);

/* A system call of the host's: this kernel's code is a program there. */
static long host(long number, long first, void *second)
{
	long result;

	asm volatile("syscall" : "=a"(result) : "0"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
	return result;
}

u64 wg_bench_cpu_ns(void)
{
	struct {
		long seconds, nanoseconds;
	} now;

	host(228 /* clock_gettime */, 3 /* CLOCK_THREAD_CPUTIME_ID */, &now);
	return (u64)now.seconds * NSEC_PER_SEC + now.nanoseconds;
}

static int run(const char *line)
{
	int from_fd, to_fd, result = -EINVAL;
	int count;
	u32 numbers[3];
	struct net *from, *to;
	char what[16], name[40];

	count = sscanf(line, "%15s %d %d %39s %u %u %u", what, &from_fd, &to_fd, name, &numbers[0], &numbers[1], &numbers[2]);
	if (count < 5)
		return -EINVAL;

	from = get_net_ns_by_fd(from_fd);
	if (IS_ERR(from))
		return PTR_ERR(from);
	to = get_net_ns_by_fd(to_fd);
	if (IS_ERR(to)) {
		put_net(from);
		return PTR_ERR(to);
	}
	if (!strcmp(what, "packets") && count == 7)
		result = wg_bench_packets(from, to, name, numbers[0], numbers[1], 0, numbers[2], &last);
	else if (!strcmp(what, "handshakes") && count == 6)
		result = wg_bench_packets(from, to, name, 64, numbers[1], numbers[0], 0, &last);
	else if (!strcmp(what, "stream") && count == 5)
		result = wg_bench_stream(from, to, in_aton(name), numbers[0], &last);
	put_net(to);
	put_net(from);
	return result;
}

static ssize_t write(struct file *opened, const char __user *buffer, size_t size, loff_t *position)
{
	char *line = memdup_user_nul(buffer, min_t(size_t, size, 200));
	int result;

	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&lock);
	last = (struct wg_bench_result){ };
	result = run(line);
	mutex_unlock(&lock);
	kfree(line);
	return result ? result : size;
}

static ssize_t read(struct file *opened, char __user *buffer, size_t size, loff_t *position)
{
	char line[96];
	int length = scnprintf(line, sizeof(line), "%llu %llu %ld %llu\n", last.count, last.cpu_ns, host(39 /* getpid */, 0, NULL),
			       wg_bench_cpu_ns());

	return simple_read_from_buffer(buffer, size, position, line, length);
}

static const struct file_operations operations = { .owner = THIS_MODULE, .write = write, .read = read };

static int __init start(void)
{
	file = debugfs_create_file("wg_bench", 0600, NULL, NULL, &operations);
	return PTR_ERR_OR_ZERO(file);
}

static void __exit stop(void)
{
	debugfs_remove(file);
}

module_init(start);
module_exit(stop);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packet and stream generators of bench-native");
