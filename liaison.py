"""Entry point of the command `liaison`: imports nothing from PYTHONPATH, which belongs to other programs.

The name is one that no folder of PYTHONPATH is likely to have, unlike `deploy` or `shared`; before `main` only
modules that the interpreter loads by itself are used.
"""

import os
import sys
import warnings


def main() -> None:
    """Run the command line."""
    forget_python_path()
    forget_warning_filters()
    from deploy.cli.main import run  # noqa: PLC0415  (what it imports depends on the line above)

    run()


def forget_python_path() -> None:
    """Take the folders of PYTHONPATH off the search path, unless this program itself came from one of them."""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    foreign = {os.path.abspath(folder) for folder in named if folder}
    if os.path.dirname(os.path.abspath(__file__)) in foreign:
        return
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) not in foreign]


def forget_warning_filters() -> None:
    """Let no PYTHONWARNINGS=error make a failure of what a package deprecates."""
    if sys.warnoptions:
        sys.warnoptions.clear()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
