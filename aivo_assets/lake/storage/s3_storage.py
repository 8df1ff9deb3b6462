"""A lake in an S3 store. Belongs here: the requests, as few as possible, and the store's preconditions; no manifests.

A document is read by one GET, which brings its ETag, and swapped by one PUT with a precondition. Listings are never
cached: a process has to see what another wrote. Some servers (Ceph's) want the ETag of `If-Match` without quotation
marks, others with; which of them this one is, is found out by the first swap that fails although nothing had changed.
"""

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import s3fs
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError
from fsspec.asyn import sync
from upath import UPath

from aivo_assets.errors import LakeError
from aivo_assets.lake.storage.storage import Document, S3Access

_AT_ONCE = 32
_ABSENT = ("NoSuchKey", "404", "NotFound")
_REFUSED = (
    "PreconditionFailed",
    "412",
    "ConditionalRequestConflict",
    "409",
    "OperationAborted",
    "ConcurrentModification",
)
_UNREACHED = (NoConnectionError, HTTPClientError, NoCredentialsError)
_PROBE = ".locks/probe"
_T = TypeVar("_T")


def s3_root(url: str, access: S3Access) -> UPath:
    """The root with the options under which nothing is cached."""
    return UPath(
        url,
        use_listings_cache=False,
        key=access.key,
        secret=access.secret,
        endpoint_url=access.endpoint,
        client_kwargs={"region_name": access.region} if access.region else {},
    )


class S3Storage:
    """A prefix of a bucket.

    Args:
        root: Of the lake, made by `s3_root`.
        access: How polars reaches the store.
    """

    is_folder = False

    def __init__(self, root: UPath, access: S3Access) -> None:
        self._fs: s3fs.S3FileSystem = root.fs
        self._bucket, _, prefix = root.path.partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self._access = access
        self._quotes = ""

    @property
    def polars_options(self) -> Mapping[str, Any] | None:
        """The same access for polars; what the settings leave out, polars takes from the same environment."""
        given = {
            "aws_endpoint_url": self._access.endpoint,
            "aws_access_key_id": self._access.key,
            "aws_secret_access_key": self._access.secret,
            "aws_region": self._access.region,
        }
        return {name: value for name, value in given.items() if value is not None} | {"aws_allow_http": "true"}

    def location(self, path: str) -> str:
        """How polars calls an object."""
        return f"s3://{self._bucket}/{self._prefix}{path}"

    def read(self, path: str) -> Document | None:
        """A document and its ETag, in one GET; None where there is none."""
        return self._run(self._read(path))

    def read_many(self, paths: Sequence[str]) -> list[Document | None]:
        """Several documents at once, one GET each."""
        return self._run(self._read_many(paths))

    def swap(self, path: str, content: bytes, expected: str | None) -> bool:
        """Replace a document if its ETag is still this one (None: if there is none), in one PUT."""
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": f"{self._quotes}{expected}{self._quotes}"}
        if self._put(path, content, condition):
            return True
        if expected is not None and not self._quotes and self._changed_nothing(path, expected):
            self._quotes = '"'
            if self._put(path, content, {"IfMatch": f'"{expected}"'}):
                return True
            self._quotes = ""
        return False

    def put(self, path: str, content: bytes) -> None:
        """Write an object, whatever stands there."""
        self._fs.pipe_file(f"{self._bucket}/{self._prefix}{path}", content)

    def link(self, path: str, to: str) -> None:
        """Copy an object within the store."""
        source = {"Bucket": self._bucket, "Key": self._prefix + path}
        self._call("copy_object", Key=self._prefix + to, CopySource=source)

    def content(self, path: str) -> tuple[str, int] | None:
        """A hash of an object's ETag, and its size."""
        try:
            answer = self._call("head_object", Key=self._prefix + path)
        except FileNotFoundError:
            return None
        return hashlib.sha256(str(answer["ETag"]).encode()).hexdigest()[:32], int(answer["ContentLength"])

    def is_whole(self, path: str, size: int) -> bool:  # noqa: ARG002 - the protocol of all storages
        """An object store shows whole objects or none."""
        return True

    def missing(self, paths: Sequence[str]) -> list[str]:
        """Of some objects those that are not there, one request each, many at once."""

        async def look() -> list[bool]:
            return list(await asyncio.gather(*(self._exists(path) for path in paths)))

        return [path for path, stands in zip(paths, self._run(look()), strict=True) if not stands]

    def remove(self, paths: Iterable[str]) -> None:
        """Delete objects, a thousand a request; one that is not there is fine."""
        keys = [{"Key": self._prefix + path} for path in paths]
        for first in range(0, len(keys), 1000):
            self._call("delete_objects", Delete={"Objects": keys[first : first + 1000], "Quiet": True})

    def folders(self, path: str, prefix: str) -> list[str]:
        """Names of the folders below a path that begin with a prefix, ascending; a thousand a request."""
        return sorted(
            entry["Prefix"].rstrip("/").rsplit("/", 1)[1] for entry in self._list(path, prefix, "CommonPrefixes")
        )

    def files(self, path: str, prefix: str) -> list[str]:
        """Names of the objects directly below a path that begin with a prefix, ascending; a thousand a request."""
        return sorted(entry["Key"].rsplit("/", 1)[1] for entry in self._list(path, prefix, "Contents"))

    def touch(self, path: str) -> bool:
        """Write an empty object again; who may only read the lake cannot, and goes on."""
        with suppress(PermissionError):
            self._call("put_object", Key=self._prefix + path, Body=repr(time.time()).encode())
        return True

    def touched_at(self, path: str) -> float | None:
        """When an object was last touched, by the clock of the machine that touched it."""
        document = self.read(path)
        return None if document is None else float(document.content)

    def refuse_without_preconditions(self) -> None:
        """Make sure that this store honours preconditions: two writers would hurt each other otherwise.

        Raises:
            LakeError: It ignores one of them.
        """
        self.put(_PROBE, b"probe")
        honoured = not self.swap(_PROBE, b"created", None) and not self.swap(_PROBE, b"matched", "0" * 32)
        self.remove([_PROBE])
        if not honoured:
            raise LakeError(
                f"The object store at {self._access.endpoint or 'AWS_ENDPOINT_URL'} ignores If-Match or If-None-Match:"
                " two writers would lose each other's rows",
                fix="Use a store that honours them (AWS S3, Ceph's radosgw, MinIO), or a folder.",
            )

    def _list(self, path: str, prefix: str, kind: str) -> Iterator[dict[str, str]]:
        start = self._prefix + (f"{path}/{prefix}" if path else prefix)
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=start, Delimiter="/", **token)
            yield from page.get(kind, [])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _changed_nothing(self, path: str, expected: str) -> bool:
        present = self.read(path)
        return present is not None and present.tag == expected

    def _put(self, path: str, content: bytes, condition: Mapping[str, str]) -> bool:
        try:
            self._call("put_object", Key=self._prefix + path, Body=content, **condition)
        except _RefusedError:
            return False
        return True

    async def _exists(self, path: str) -> bool:
        try:
            await self._called("head_object", Key=self._prefix + path)
        except (FileNotFoundError, ClientError):
            return False
        return True

    async def _read_many(self, paths: Sequence[str]) -> list[Document | None]:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(path: str) -> Document | None:
            async with turn:
                return await self._read(path)

        return list(await asyncio.gather(*(one(path) for path in paths)))

    async def _read(self, path: str) -> Document | None:
        try:
            answer = await self._fs._call_s3("get_object", Bucket=self._bucket, Key=self._prefix + path)
            async with answer["Body"] as body:
                return Document(await body.read(), str(answer["ETag"]).strip('"'))
        except (ClientError, OSError) as error:
            cause = error if isinstance(error, ClientError) else error.__cause__
            code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else ""
            if code in _ABSENT:
                return None
            raise (self._as_ours(cause) if isinstance(cause, ClientError) else error) from error
        except _UNREACHED as error:
            raise self._unreached(error) from error

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        return self._run(self._called(method, **arguments))

    async def _called(self, method: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self._fs._call_s3(method, Bucket=self._bucket, **arguments)
        except ClientError as error:
            raise self._as_ours(error) from error
        except OSError as error:  # s3fs translates some of botocore's errors
            cause = error.__cause__
            raise (self._as_ours(cause) if isinstance(cause, ClientError) else error) from error
        except _UNREACHED as error:
            raise self._unreached(error) from error
        return answer

    def _as_ours(self, error: ClientError) -> Exception:
        code = str(error.response["Error"].get("Code", ""))
        if code in _REFUSED:
            return _RefusedError(code)
        if code in ("NoSuchBucket",):
            return LakeError(
                f"There is no bucket {self._bucket}", fix="Make it, or correct the bucket's name in AIVO_LAKE_URL."
            )
        if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"):
            return LakeError(
                f"The object store refuses these credentials for bucket {self._bucket} ({code})",
                fix="Correct AIVO_LAKE_KEY and AIVO_LAKE_SECRET, or the AWS_… variables that stand for them.",
            )
        unexpected: Exception = error
        return unexpected

    def _unreached(self, error: Exception) -> LakeError:
        where = self._access.endpoint or "AWS_ENDPOINT_URL, or AWS itself"
        if isinstance(error, NoCredentialsError):
            return LakeError(
                f"There are no credentials for the object store at {where}",
                fix="Set AIVO_LAKE_KEY and AIVO_LAKE_SECRET, or the AWS_… variables that stand for them.",
            )
        return LakeError(
            f"The object store at {where} cannot be reached: {type(error).__name__}",
            fix="Start it, or correct AIVO_LAKE_ENDPOINT; then run it again: a commit that was not answered is there"
            " as a whole or not at all.",
        )

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        answer: _T = sync(self._fs.loop, lambda: work)
        return answer


class _RefusedError(Exception):
    """A precondition did not hold."""
