"""`python -m tests.faults.launcher MUTANT MODULE`: runs a service's module as a broken build of it."""

import runpy
import sys

from tests.faults.mutants import MUTANTS

if __name__ == "__main__":
    mutant, module = sys.argv[1:]
    MUTANTS[mutant]()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
