// SPDX-License-Identifier: GPL-2.0
/* The real files, to look at and write. */
#pragma once

#include <memory>
#include <vector>

#include "model/descriptor.h"
#include "model/machine.h"

namespace wgctl {

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
	bool make_folder(const std::string &path, unsigned mode) override;

private:
	Unnamed unnamed_;
	/* What `lock` gave, while somebody has it. */
	std::weak_ptr<std::vector<Descriptor>> locked_;
};

}
