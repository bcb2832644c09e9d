// SPDX-License-Identifier: GPL-2.0
/* Destructors alone: the compiler puts all that a class inherits beside the first member that is not inline,
 * instead of into every file that has one. */
#include "tests/fakes.h"

namespace wgctl {

FakeDevices::~FakeDevices() = default;
FakeFiles::~FakeFiles() = default;
FakeTerminal::~FakeTerminal() = default;
FakeResolver::~FakeResolver() = default;
FakeClock::~FakeClock() = default;
FakeEnvironment::~FakeEnvironment() = default;
FakeNetwork::~FakeNetwork() = default;
FakeFilter::~FakeFilter() = default;
FakeDns::~FakeDns() = default;
FakeNotes::~FakeNotes() = default;
FakeShell::~FakeShell() = default;
FakeNamespaces::~FakeNamespaces() = default;
FakeStore::~FakeStore() = default;
FakeScreen::~FakeScreen() = default;
FakeWebServer::~FakeWebServer() = default;
FakeLookout::~FakeLookout() = default;

FakeWorld::FakeWorld() = default;
FakeWorld::~FakeWorld() = default;

}
