"""fuse.py DIRECTORY: a file system of one empty directory behind FUSE, which the library takes for a network file system: the kernel
asks it for everything, and it may be on another machine. Just enough of the protocol, without libfuse. Prints "mounted", or why not."""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path

from support import mount

LOOKUP, GETATTR, STATFS, INIT, OPENDIR, READDIR, FORGET, ACCESS = 1, 3, 17, 26, 27, 28, 2, 34
ATTRIBUTES = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o040700, 2, os.geteuid(), os.getegid(), 0, 4096, 0)


def main() -> None:
    directory = Path(sys.argv[1])
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        print(f"there is no /dev/fuse: {error.strerror}", flush=True)
        return
    reason = mount("fuse", directory, f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()}")
    print(reason or "mounted", flush=True)
    while not reason:
        try:
            request = os.read(device, 1 << 17)
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            raise
        _, operation, unique = struct.unpack_from("<IIQ", request)
        if operation == FORGET:
            continue
        answer = b""
        failure = 0
        if operation == INIT:
            answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 8, 8, 65536, 1, 1, 0, 0)
        elif operation == GETATTR:
            answer = struct.pack("<QII", 1, 0, 0) + ATTRIBUTES
        elif operation == STATFS:
            answer = struct.pack("<QQQQQIII28x", 1000, 1000, 1000, 1000, 1000, 4096, 255, 4096)[:80]
        elif operation == OPENDIR:
            answer = struct.pack("<QII", 1, 0, 0)
        elif operation == LOOKUP:
            failure = errno.ENOENT
        elif operation not in (READDIR, ACCESS):
            failure = errno.ENOSYS
        os.write(device, struct.pack("<IiQ", 16 + len(answer), -failure, unique) + answer)


main()
