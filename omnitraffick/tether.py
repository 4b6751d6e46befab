"""Starts a program that dies with its parent: `python tether.py PARENT_PID PROGRAM ARGUMENT…`.

Run as a file by `omnitraffick.processes`, before anything else of ours is imported. On Linux the kernel sends
SIGTERM when the parent is gone, however it went (prctl(2), PR_SET_PDEATHSIG; kept across exec). Elsewhere the
program is only started: there a killed parent leaves its children running.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the signal was ordered
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  (no shell is meant)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
