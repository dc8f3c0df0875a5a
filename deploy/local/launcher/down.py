"""Stops a stack from another process."""

import signal

from deploy.common.folder import Folder
from deploy.common.trouble import Trouble
from deploy.local.embedded.process import end
from deploy.local.launcher import running

MARGIN_SECONDS = 15.0


def down(folder: Folder) -> bool:
    """Stop the stack on `folder` in order; return whether any process ran.

    Raises Trouble when it is another user's or does not end.
    """
    found = running.noted(folder)
    if found is None:
        return False
    left = bool(running.left_over(folder))
    if folder.is_held:
        left = True
        try:
            end(found.launcher, signal.SIGTERM, found.stop_seconds + MARGIN_SECONDS)
        except PermissionError as fault:
            pid = found.launcher.pid
            raise Trouble("folder.not_yours", folder=folder.root, pid=pid) from fault
    running.clean(folder)
    return left
