// SPDX-License-Identifier: GPL-2.0
/* stream.c: one TCP connection through the tunnel, as fast as it goes. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "bench.h"

#define PORT 7
#define CHUNK 65536

struct end {
	struct socket *socket;
	u8 *buffer;
	u64 bytes;
};

static int send(void *data)
{
	struct end *end = data;

	while (!kthread_should_stop()) {
		struct kvec part = { end->buffer, CHUNK };
		struct msghdr message = { .msg_flags = MSG_NOSIGNAL };

		if (kernel_sendmsg(end->socket, &message, &part, 1, CHUNK) < 0)
			break;
	}
	kernel_sock_shutdown(end->socket, SHUT_WR);
	while (!kthread_should_stop())
		msleep(1);
	return 0;
}

static int receive(void *data)
{
	struct end *end = data;
	int size;

	do {
		struct kvec part = { end->buffer, CHUNK };
		struct msghdr message = { };

		size = kernel_recvmsg(end->socket, &message, &part, 1, CHUNK, 0);
		if (size > 0)
			WRITE_ONCE(end->bytes, end->bytes + size);
	} while (size > 0);
	while (!kthread_should_stop())
		msleep(1);
	return 0;
}

/* measure: lets it settle for a fifth of the time. -EIO: it stands still. */
static int measure(const struct end *receiver, u64 cpu_ns, struct wg_bench_result *result)
{
	u64 began = wg_bench_cpu_ns(), bytes, now, before;
	int idle = 0;

	while (wg_bench_cpu_ns() - began < cpu_ns / 5 && idle++ < 1000)
		msleep(10);
	bytes = READ_ONCE(receiver->bytes);
	began = wg_bench_cpu_ns();
	for (idle = 0; (now = wg_bench_cpu_ns()) - began < cpu_ns;) {
		before = READ_ONCE(receiver->bytes);
		msleep(10);
		idle = READ_ONCE(receiver->bytes) == before ? idle + 1 : 0;
		if (idle == 500)
			return -EIO;
	}
	result->count = READ_ONCE(receiver->bytes) - bytes;
	result->cpu_ns = now - began;
	return 0;
}

/* connect: `listening`, `sender->socket` and `receiver->socket`, those that were made even when it fails. */
static int connect(struct net *from, struct net *to, __be32 address, struct socket **listening, struct end *sender, struct end *receiver)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = address };
	int err;

	err = sock_create_kern(to, AF_INET, SOCK_STREAM, IPPROTO_TCP, listening);
	if (err)
		return err;
	sock_set_reuseaddr((*listening)->sk);
	err = kernel_bind(*listening, (struct sockaddr *)&where, sizeof(where));
	err = err ?: kernel_listen(*listening, 1);
	err = err ?: sock_create_kern(from, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sender->socket);
	err = err ?: kernel_connect(sender->socket, (struct sockaddr *)&where, sizeof(where), 0);
	return err ?: kernel_accept(*listening, &receiver->socket, 0);
}

int wg_bench_stream(struct net *from, struct net *to, __be32 address, u32 cpu_ms, struct wg_bench_result *result)
{
	struct end sender = { .buffer = kvzalloc(CHUNK, GFP_KERNEL) }, receiver = { .buffer = kvzalloc(CHUNK, GFP_KERNEL) };
	struct task_struct *sending, *receiving;
	struct socket *listening = NULL;
	int err = sender.buffer && receiver.buffer ? 0 : -ENOMEM;

	err = err ?: connect(from, to, address, &listening, &sender, &receiver);
	if (!err) {
		receiving = kthread_run(receive, &receiver, "bench-receive");
		sending = kthread_run(send, &sender, "bench-send");
		if (IS_ERR(receiving) || IS_ERR(sending))
			err = -ENOMEM;
		else
			err = measure(&receiver, (u64)cpu_ms * NSEC_PER_MSEC, result);
		/* A blocked sender ends by the receiver's end. */
		if (!IS_ERR(sending)) {
			if (err)
				kernel_sock_shutdown(sender.socket, SHUT_RDWR);
			kthread_stop(sending);
		}
		if (!IS_ERR(receiving)) {
			kernel_sock_shutdown(receiver.socket, SHUT_RDWR);
			kthread_stop(receiving);
		}
	}
	if (receiver.socket)
		sock_release(receiver.socket);
	if (sender.socket)
		sock_release(sender.socket);
	if (listening)
		sock_release(listening);
	kvfree(sender.buffer);
	kvfree(receiver.buffer);
	return err;
}
