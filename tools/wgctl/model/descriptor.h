// SPDX-License-Identifier: GPL-2.0
/* A file descriptor that closes itself; errno survives that. */
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace wgctl {

class Descriptor {
public:
	explicit Descriptor(int fd) : fd_(fd) {}
	Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Descriptor &operator=(Descriptor &&other) noexcept
	{
		reset();
		fd_ = std::exchange(other.fd_, -1);
		return *this;
	}
	~Descriptor() { reset(); }

	int get() const { return fd_; }
	void reset()
	{
		int error = errno;

		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
		errno = error;
	}

private:
	int fd_;
};

}
