# SPDX-License-Identifier: Apache-2.0
"""Runs commands in a VM through its bench agent (guest/agent.c), over a virtio-serial port."""

import os
import socket
import struct
import sys
import time


class AgentError(Exception):
    """The VM went away, or did not answer in time."""


class Session:
    """One port of the agent: a UNIX socket of QEMU's."""

    def __init__(self, path, alive=lambda: True):
        self.alive = alive
        self.buffer = b""
        self.id = int.from_bytes(os.urandom(4), "little")
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError as error:
                if time.monotonic() > deadline or not alive():
                    raise AgentError(f"QEMU's socket {path} does not answer: {error}") from error
                time.sleep(0.05)
        self.socket.settimeout(1)

    def close(self):
        self.socket.close()

    def _take(self, size, deadline):
        while len(self.buffer) < size:
            if deadline and time.monotonic() > deadline:
                raise TimeoutError
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                if not self.alive():
                    raise AgentError("the VM has ended") from None
                continue
            except OSError as error:
                raise AgentError(f"the VM has ended: {error}") from error
            if not data:
                raise AgentError("the VM has ended")
            self.buffer += data
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def _frame(self, deadline):
        while True:
            number, kind, length = struct.unpack("<3I", self._take(12, deadline))
            data = self._take(length, deadline)
            if number == self.id:
                return chr(kind), data

    def run(self, argv, start_timeout=None, timeout=None, output=None):
        """Run argv; output(fd, data) takes what it writes. Returns the exit status."""
        output = output or _pass_on
        self.id = (self.id + 1) & 0xFFFFFFFF
        text = b"".join(os.fsencode(a) + b"\0" for a in argv)
        self.socket.sendall(b"DHX1" + struct.pack("<2I", self.id, len(text)) + text)
        kind, data = self._frame(start_timeout and time.monotonic() + start_timeout)
        deadline = timeout and time.monotonic() + timeout
        while True:
            if kind == "O":
                output(1, data)
            elif kind == "E":
                output(2, data)
            elif kind == "X":
                return struct.unpack("<I", data)[0]
            kind, data = self._frame(deadline)


def _pass_on(fd, data):
    stream = (sys.stdout if fd == 1 else sys.stderr).buffer
    stream.write(data)
    stream.flush()
