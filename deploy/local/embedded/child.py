"""Run as a script: replaces itself by a program that ends with its launcher; imports only the standard library.

    child.py SIGNAL UID GID PARENT PROGRAM ARGUMENT...

A child made this way needs no code between fork and exec, which is unsafe beside threads.
UID -1 keeps the user.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def become(uid: int, gid: int) -> None:
    """Change to `uid`, keeping of root's capabilities only the search of folders.

    PostgreSQL refuses root, yet its programs and its data may lie below folders that only root may
    enter. Where the capability cannot be kept (other systems, tight containers), permissions decide.
    """
    kept = sys.platform == "linux" and keep_passage_prepared()
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if kept:
        keep_passage()


def keep_passage_prepared() -> bool:
    # access(2) drops a user's capabilities unless this bit is set, and PostgreSQL looks for its
    # own programs with it.
    return prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0


def keep_passage() -> None:
    only = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)
    if libc().capset(header, sets) == 0:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)
    else:
        none = (ctypes.c_uint32 * 6)()
        libc().capset(header, none)


def end_with(parent: int, number: int) -> None:
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("the launcher has gone")


def prctl(option: int, *values: int) -> int:
    padded = (*values, 0, 0, 0, 0)[:4]
    return int(libc().prctl(option, *(ctypes.c_ulong(value) for value in padded)))


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    number, uid, gid, parent = (int(a) for a in arguments[:4])
    if uid >= 0:
        become(uid, gid)
    end_with(parent, number)  # After the change of user, which clears it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(arguments[4], arguments[4:])  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
