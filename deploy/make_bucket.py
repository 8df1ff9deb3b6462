"""Makes the lake's bucket in the store that the settings name, where there is none; asked again it changes nothing."""

import sys

import s3fs

from aivo_assets.settings import load_settings


def make_bucket(name: str) -> None:
    """Make a bucket.

    Args:
        name: Of the bucket.
    """
    lake = load_settings().lake
    store = s3fs.S3FileSystem(
        endpoint_url=lake.endpoint,
        key=None if lake.key is None else lake.key.get_secret_value(),
        secret=None if lake.secret is None else lake.secret.get_secret_value(),
    )
    # With a region s3fs names it as the bucket's place, which stores refuse for their own default region.
    store.makedirs(name, exist_ok=True)


if __name__ == "__main__":
    make_bucket(sys.argv[1])
