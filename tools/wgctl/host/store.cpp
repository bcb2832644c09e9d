// SPDX-License-Identifier: GPL-2.0
#include "host/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "host/io.h"
#include "model/descriptor.h"

namespace wgctl {

namespace {

std::string folder_of(const std::string &path)
{
	std::size_t slash = path.rfind('/');

	if (slash == path.npos)
		return ".";
	return slash ? path.substr(0, slash) : "/";
}

/* Without a name until it is whole: whoever kills the program leaves nothing behind. Where the file system
 * has no files without names, under another name. */
class NewFile {
public:
	NewFile(const std::string &path, SystemStore::Unnamed unnamed) : path_(path)
	{
		if (unnamed == SystemStore::Unnamed::where_possible)
			file_ = Descriptor(open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
		/* Without /proc it would never get one. */
		if (file_.get() >= 0 && access(link_to_it().c_str(), F_OK) == 0)
			return;
		unlink(passing_name().c_str());
		file_ = Descriptor(open(passing_name().c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
		if (file_.get() < 0)
			fail(path);
		name_ = passing_name();
	}
	NewFile(const NewFile &) = delete;
	~NewFile()
	{
		if (!name_.empty())
			unlink(name_.c_str());
	}

	void fill(std::string_view text, const struct stat *like, unsigned mode)
	{
		if (like && fchown(file_.get(), like->st_uid, like->st_gid) < 0)
			fail(path_);
		if (fchmod(file_.get(), like ? like->st_mode & 07777 : mode) < 0)
			fail(path_);
		write_all(file_.get(), text, path_);
		if (fsync(file_.get()) < 0)
			fail(path_);
	}
	/* Nobody else can have it: it is new. */
	Descriptor lock() const
	{
		Descriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));

		if (copy.get() < 0 || flock(copy.get(), LOCK_EX) < 0)
			fail(path_);
		return copy;
	}
	void put_in_place()
	{
		if (name_.empty()) {
			unlink(passing_name().c_str());
			give_name(passing_name());
			name_ = passing_name();
		}
		if (::rename(name_.c_str(), path_.c_str()) < 0)
			fail(path_);
		name_.clear();
	}
	/* Where nothing may be. */
	void put_in_free_place()
	{
		if (name_.empty())
			return give_name(path_);
		if (renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) < 0) {
			/* Not every file system can; all can make a second name. */
			if ((errno != EINVAL && errno != ENOSYS) || link(name_.c_str(), path_.c_str()) < 0)
				fail(path_);
			unlink(name_.c_str());
		}
		name_.clear();
	}

private:
	std::string link_to_it() const { return "/proc/self/fd/" + std::to_string(file_.get()); }
	void give_name(const std::string &name) const
	{
		if (linkat(AT_FDCWD, link_to_it().c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) < 0)
			fail(path_);
	}
	/* Of this program: what has it already is of one that was killed. */
	std::string passing_name() const { return path_ + "." + std::to_string(getpid()); }

	/* Empty while it has none. */
	std::string path_, name_;
	Descriptor file_{-1};
};

}

bool SystemStore::exists(const std::string &path)
{
	struct stat status;

	return stat(path.c_str(), &status) == 0;
}

bool SystemStore::is_hidden(const std::string &path)
{
	struct stat status;

	return stat(path.c_str(), &status) < 0 && errno == EACCES;
}

bool SystemStore::is_open_to_the_world(const std::string &path)
{
	struct stat file, folder;

	return stat(path.c_str(), &file) == 0 && (file.st_mode & S_IRWXO) && stat(folder_of(path).c_str(), &folder) == 0 &&
	       (folder.st_mode & S_IRWXO);
}

void SystemStore::replace(const std::string &path, std::string_view text, unsigned mode)
{
	struct stat status;
	char buffer[PATH_MAX];
	/* Behind a link, the file is replaced, not the link. */
	const char *real = realpath(path.c_str(), buffer);
	bool is_there = real && stat(real, &status) == 0;
	NewFile file(real ? real : path, unnamed_);

	file.fill(text, is_there ? &status : nullptr, mode);
	/* Whoever holds the file that goes holds the one that comes. */
	if (auto locked = locked_.lock())
		locked->push_back(file.lock());
	file.put_in_place();
}

void SystemStore::create(const std::string &path, std::string_view text, unsigned mode)
{
	NewFile file(path, unnamed_);

	file.fill(text, nullptr, mode);
	file.put_in_free_place();
}

std::shared_ptr<void> SystemStore::lock(const std::string &path)
{
	for (;;) {
		struct stat held, present;
		Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
		if (file.get() < 0)
			fail(path);
		while (flock(file.get(), LOCK_EX) < 0)
			if (errno != EINTR)
				fail(path);
		/* Whoever had it before has put another file in its place: that is the one to hold. */
		if (fstat(file.get(), &held) == 0 && stat(path.c_str(), &present) == 0 && held.st_dev == present.st_dev &&
		    held.st_ino == present.st_ino) {
			auto locked = std::make_shared<std::vector<Descriptor>>();
			locked->push_back(std::move(file));
			locked_ = locked;
			return locked;
		}
	}
}

void SystemStore::overwrite(const std::string &path, std::string_view text)
{
	Descriptor file(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));

	if (file.get() < 0)
		fail(path);
	write_all(file.get(), text, path);
}

void SystemStore::rename(const std::string &from, const std::string &to)
{
	if (::rename(from.c_str(), to.c_str()) < 0)
		fail(from);
}

void SystemStore::remove(const std::string &path)
{
	if (unlink(path.c_str()) < 0)
		fail(path);
}

bool SystemStore::make_folder(const std::string &path, unsigned mode)
{
	if (mkdir(path.c_str(), mode) == 0)
		return true;
	if (errno != EEXIST)
		fail(path);
	return false;
}

}
