#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A WireGuard device that is nothing but its configuration socket.

usage: fake_device.py SOCKET STATE LOG

A get is answered with the text of the file STATE, a set is appended to the file LOG and answered with
errno=0 (or with the number in the file STATE.errno). Needs no kernel and no root: what a tool wants
from a device, and what it makes of an answer, can be compared anywhere.
"""
import os
import socket
import sys


def main():
	path, state, log = sys.argv[1:]
	server = socket.socket(socket.AF_UNIX)
	server.bind(path)
	server.listen(8)
	print("ready", flush=True)
	while True:
		client, _ = server.accept()
		with client, client.makefile("rb") as lines:
			request = b""
			for line in lines:
				request += line
				if line != b"\n":
					continue
				if request.startswith(b"get=1\n"):
					with open(state, "rb") as answer:
						client.sendall(answer.read() + b"errno=0\n\n")
				else:
					with open(log, "ab") as record:
						record.write(request)
					error = b"0"
					if os.path.exists(state + ".errno"):
						with open(state + ".errno", "rb") as answer:
							error = answer.read().strip()
					client.sendall(b"errno=" + error + b"\n\n")
				request = b""


main()
