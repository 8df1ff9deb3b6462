"""What `aivo up` needs around Dagster: a PostgreSQL server, its account, and a clock that can run fast."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "fast_clock": ["FastClock", "platform_time"],
        "postgres": ["embedded_postgres"],
    },
)
