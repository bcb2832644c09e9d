#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""uapi/netlink/wireguard.yaml against the headers beside it, and against what the module says.

usage: spec.py headers          prints C that compiles when every number of the spec is its header's, with a comment for each constant
                                of the headers that the spec lacks; exit status 1 when there is one
                                environment: SPEC, another file
       spec.py decode <TAP      decodes the lines "# message HEX" by the spec; prints TAP
"""
import os
import re
import struct
import sys

import yaml

SPEC = yaml.safe_load(open(os.environ.get("SPEC", "uapi/netlink/wireguard.yaml")))
HEADERS = ["uapi/linux/wireguard.h", "uapi/linux/wireguard_extensions.h"]
SETS = {of["name"]: {a["value"]: a for a in of["attributes"]} for of in SPEC["attribute-sets"]}
DEFINITIONS = {of["name"]: of for of in SPEC["definitions"]}
SIZES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s32": "i", "s64": "q"}


def constant(prefix, name):
    return ("wgx-a-" + name[4:] if prefix.endswith("-a-") and name.startswith("wgx-") else prefix + name).upper().replace("-", "_")


def constants():
    for of in SPEC["attribute-sets"]:
        for attribute in of["attributes"]:
            yield constant(of["name-prefix"], attribute["name"]), attribute["value"]
    for name, of in DEFINITIONS.items():
        for number, entry in enumerate(of.get("entries", [])):
            yield constant(of["name-prefix"], entry), 1 << number if of["type"] == "flags" else number + of.get("value-start", 0)
    yield "WG_KEY_LEN", DEFINITIONS["key-len"]["value"]
    for operation in SPEC["operations"]["list"]:
        name = operation["name"]
        yield ("WGX_CMD_" + name[4:] if name.startswith("wgx-") else "WG_CMD_" + name).upper().replace("-", "_"), operation["value"]


def headers():
    known = dict(constants())
    text = "".join(open(path).read() for path in HEADERS)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    listed = set(re.findall(r"^\t(WG[A-Z0-9_]+)\b", text, re.M)) - {name for name in re.findall(r"\bWG\w*_UNSPEC\b|\bWGX_LINK_A_\w+", text)}
    missing = sorted(listed - set(known))
    print("".join('#include "%s"\n' % path for path in HEADERS))
    print("".join('_Static_assert(%s == %d, "%s");\n' % (name, value, name) for name, value in known.items()))
    print("".join("/* not in the spec: %s */\n" % name for name in missing))
    return 1 if missing else 0


class Wrong(Exception):
    pass


def attributes(data):
    while data:
        if len(data) < 4:
            raise Wrong("bytes behind the last attribute")
        size, kind = struct.unpack("=HH", data[:4])
        if size < 4 or size > len(data):
            raise Wrong("an attribute of %d bytes in %d" % (size, len(data)))
        yield kind & 0x3FFF, data[4:size]
        data = data[(size + 3) & ~3:]


def value(attribute, data):
    kind = attribute["type"]
    if kind == "nest":
        return decode(attribute["nested-attributes"], data)
    if kind == "indexed-array":
        return [decode(attribute["nested-attributes"], entry) for _, entry in attributes(data)]
    if kind == "string":
        if not data.endswith(b"\0"):
            raise Wrong(attribute["name"] + " does not end")
        return data[:-1].decode()
    if kind == "binary":
        exact = attribute.get("checks", {}).get("exact-len")
        if exact and len(data) != DEFINITIONS[exact]["value"]:
            raise Wrong("%s has %d bytes" % (attribute["name"], len(data)))
        return data
    if len(data) != struct.calcsize("=" + SIZES[kind]):
        raise Wrong("%s, a %s, has %d bytes" % (attribute["name"], kind, len(data)))
    return struct.unpack("=" + SIZES[kind], data)[0]


def decode(name, data):
    found = {}
    for kind, content in attributes(data):
        if kind not in SETS[name]:
            raise Wrong("%s has no attribute %#x" % (name, kind))
        found[SETS[name][kind]["name"]] = value(SETS[name][kind], content)
    return found


def messages(text):
    for line in re.findall(r"^# message ([0-9a-f]+)\s*$", text, re.M):
        data = bytes.fromhex(line)
        yield data[16], decode("wgdevice", data[20:])


def allowed(command):
    """What the spec says may be in a message of this command."""
    for operation in SPEC["operations"]["list"]:
        of = operation.get("event") or operation.get("dump", {}).get("reply")
        if of and operation["value"] == command:
            return set(of["attributes"])
    raise Wrong("no operation says %#x" % command)


def check(ok, name, number, why=""):
    print("%s %d - %s" % ("ok" if ok else "not ok", number, name), *(["# " + why] if why else []), sep="\n")
    return ok


def decode_all(text):
    why, seen, events, number = "", set(), set(), 0
    try:
        for command, found in messages(text):
            number += 1
            if set(found) - allowed(command):
                why = "not said to be in %#x: %s" % (command, set(found) - allowed(command))
            seen |= {(command, name) for name in found}
            seen |= {(command, name) for peer in found.get("peers", []) for name in peer}
            events.add(found.get("wgx-event"))
    except Wrong as wrong:
        why = str(wrong)
    get, event = 0x80, 0x82
    wanted = {(get, name) for name in ("ifname", "private-key", "peers", "allowedips", "endpoint", "wgx-generation", "wgx-aead", "wgx-state")}
    wanted |= {(event, name) for name in ("ifindex", "wgx-event", "wgx-peer", "wgx-endpoint", "wgx-port-id", "wgx-role")}
    kinds = set(range(1, 1 + len(DEFINITIONS["wgx-event"]["entries"]))) - {7}   # none was given up in the meantime
    results = [check(not why, "real_messages_are_as_the_spec_says", 1, why),
               check(number >= 20 and wanted <= seen, "with_all_that_matters", 2, "of %d messages; missing: %s" % (number, sorted(wanted - seen))),
               check(kinds <= events, "and_each_kind_of_event", 3, "missing: %s" % sorted(kinds - events))]
    print("1..3")
    return 0 if all(results) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["headers"]:
        sys.exit(headers())
    if sys.argv[1:] == ["decode"]:
        sys.exit(decode_all(sys.stdin.read()))
    sys.exit(__doc__)
