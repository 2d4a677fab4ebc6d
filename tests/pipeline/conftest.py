"""What the tests of the pipeline share."""

from multiprocessing.context import ForkServerContext

import pytest

from tests.fakes.training_processes import fork_server


@pytest.fixture(scope="session")
def server() -> ForkServerContext:
    """Trainings are forked from it."""
    return fork_server()
