"""Which failures of a step are tried again. Belongs here: the policy, and what it is not to be applied to."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from aivo_assets.errors import AivoError, SourceUnreachableError

TRY_AGAIN = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
ONCE_MORE = dg.RetryPolicy(max_retries=1, delay=10)


@contextmanager
def final_unless_unreachable() -> Iterator[None]:
    """Let a retry policy try again only where a second try can help: a file that is wrong or absent stays so."""
    try:
        yield
    except SourceUnreachableError:
        raise
    except AivoError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
