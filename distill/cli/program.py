"""Where the program begins and ends: an interrupt there leaves no traceback."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Loads the command line and runs it.

    Until it runs, and once it has, an interrupt ends the process in silence: nothing is at work
    that would have to be kept, and an exception could come up anywhere in the import of a library.
    """
    interrupts = signal.getsignal(signal.SIGINT)
    raises = interrupts is signal.default_int_handler  # background programs of a shell ignore it
    if raises:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from distill.cli.app import main as run_command_line
    from distill.cli.boundary import INTERRUPTED

    try:
        if raises:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run_command_line()
    except KeyboardInterrupt:  # just before the command, or after it
        sys.exit(INTERRUPTED)
    finally:
        if raises:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
