// SPDX-License-Identifier: GPL-2.0
/* The real host: libnftables, DNS, processes, namespaces, files. Its network is network.h. */
#pragma once

#include "host.h"

namespace wgctl {

class NftFilter : public Filter {
public:
	void run(const std::string &commands) override;
	std::vector<std::string> tables() override;
	std::string list(const std::string &table) override;
};

/* A file each, INTERFACE.KEYWORD, which begins with the link's number and namespace. */
class SystemNotes : public Notes {
public:
	explicit SystemNotes(std::string folder = "/run/wgctl/") : folder_(std::move(folder)) {}

	std::optional<std::string> read(const std::string &interface, const std::string &keyword) override;
	void write(const std::string &interface, const std::string &keyword, const std::string &text) override;
	void remove(const std::string &interface, const std::string &keyword) override;

private:
	std::string path(const std::string &interface, const std::string &keyword) const { return folder_ + interface + "." + keyword; }

	std::string folder_;
};

/* systemd-resolved when it runs, over D-Bus; else the program resolvconf, whoever provides it. What was
 * set is noted: not every resolvconf tells what it has, and nobody tells who set it. */
class SystemDns : public Dns {
public:
	/* `resolvconf_files`: where Debian's resolvconf keeps what it was given. */
	explicit SystemDns(Notes &notes, std::string resolvconf_files = "/run/resolvconf/interface/") :
		notes_(notes), resolvconf_files_(std::move(resolvconf_files))
	{
	}

	void set(const std::string &interface, const DnsSettings &settings) override;
	void unset(const std::string &interface) override;
	std::optional<std::vector<std::string>> asked() override;
	std::optional<DnsSettings> get(const std::string &interface) override;
	bool is_ours(const std::string &interface) override;

private:
	std::optional<DnsSettings> ask_resolvconf(const std::string &interface);
	std::optional<DnsSettings> noted(const std::string &interface);

	Notes &notes_;
	std::string resolvconf_files_;
};

/* bash, for which wg-quick's hooks are written; where there is none, sh. As with wg-quick, a command
 * that fails ends a hook, in a pipe, too (-e, pipefail). */
class SystemShell : public Shell {
public:
	int run(const std::string &command) override;
	int run_program(const std::vector<std::string> &arguments) override;
	void hold_signals() override;
	bool is_interrupted() override;
};

class SystemNamespaces : public Namespaces {
public:
	Namespace current() override;
	Namespace open(const std::string &path) override;
	Namespace create() override;
	void enter(const Namespace &where) override;
	int run(std::span<const std::string_view> command, const std::optional<std::string> &resolv_conf) override;

private:
	bool in_user_namespace_ = false;
};

class SystemStore : public Store {
public:
	/* New files, while they are written. */
	enum class Unnamed { where_possible, never };
	explicit SystemStore(Unnamed unnamed = Unnamed::where_possible) : unnamed_(unnamed) {}

	bool exists(const std::string &path) override;
	bool is_hidden(const std::string &path) override;
	bool is_open_to_the_world(const std::string &path) override;
	void replace(const std::string &path, std::string_view text, unsigned mode) override;
	void create(const std::string &path, std::string_view text, unsigned mode) override;
	std::shared_ptr<void> lock(const std::string &path) override;
	void overwrite(const std::string &path, std::string_view text) override;
	void rename(const std::string &from, const std::string &to) override;
	void remove(const std::string &path) override;
	bool make_folder(const std::string &path) override;

private:
	Unnamed unnamed_;
};

}
