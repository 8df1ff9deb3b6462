"""The bytes of a text file as lines that end in 0x0A, counted. Belongs here: encodings and line ends; no column.

Lines end in LF, CRLF or CR, also mixed in one file, as every editor shows them. Encodings in which a newline is not the
byte 0x0A (UTF-16, UTF-32, EBCDIC) are brought to UTF-8 as a whole; UTF-16 is known without a mark by its zero bytes.
"""

import codecs
import io

from aivo_assets.errors import SettingsError
from aivo_assets.events.sources.reading.file_formats import HEAD_BYTES, Readable, refuse_no_table
from aivo_assets.events.sources.reading.records import REPLACED

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PROBE = 64
_PLAIN = '\r\n",;\t|'


class TextLines:
    """A text file, read from the front.

    Args:
        stream: Its bytes, unpacked.
        encoding: Encoding where no byte order mark says another.
        place: Its name, for errors.

    Raises:
        SettingsError: The encoding is unknown.
        SourceError: It is no text but a file of another kind.
    """

    def __init__(self, stream: Readable, encoding: str, place: str) -> None:
        name = _known(encoding)
        start = _exactly(stream, HEAD_BYTES)
        refuse_no_table(start, place)
        mark, self.encoding = next(((mark, told) for mark, told in _MARKS if start.startswith(mark)), (b"", name))
        if not mark:
            self.encoding = _by_zero_bytes(start) or name
        self._ahead, self._stream = start[len(mark) :], stream
        self._newlines, self._last = 0, b""
        if not _keeps_ascii(self.encoding):
            text = (start + stream.read()).decode(self.encoding, errors="replace")
            recoded = text.lstrip("\ufeff").replace("\ufffd", REPLACED).encode(errors="surrogatepass")
            self.encoding, self._ahead, self._stream = "utf-8", b"", io.BytesIO(recoded)

    @property
    def lines(self) -> int:
        """Lines read so far, as an editor counts them."""
        return self._newlines + (self._last not in (b"", b"\n"))

    def read(self, size: int) -> bytes:
        """About so many bytes in `encoding`, every line end a single 0x0A; none at the end."""
        content = self._ahead or self._stream.read(size)
        self._ahead = b""
        while content.endswith(b"\r") and (following := self._stream.read(1)):
            content += following
        if b"\r" in content:
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._newlines += content.count(b"\n")
        self._last = content[-1:] or self._last
        return content


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        _PLAIN.encode(name)
    except (LookupError, ValueError) as error:
        raise SettingsError(
            f"AIVO_SOURCE_ENCODING={encoding!r} is no text encoding that is known here",
            fix="Use a name such as utf-8, latin-1, cp1252, gbk or utf-16.",
        ) from error
    return name


def _keeps_ascii(encoding: str) -> bool:
    """Whether newlines, quotes and delimiters are single bytes of their own."""
    return _PLAIN.encode(encoding).removeprefix(codecs.BOM_UTF8) == _PLAIN.encode("ascii")


def _by_zero_bytes(start: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of a header in Latin letters is zero."""
    probe = start[:_PROBE]
    if len(probe) < 4:
        return None
    even, odd = probe[0::2].count(0) / len(probe[0::2]), probe[1::2].count(0) / len(probe[1::2])
    if odd > 0.8 and even < 0.2:
        return "utf-16-le"
    return "utf-16-be" if even > 0.8 and odd < 0.2 else None


def _exactly(stream: Readable, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    content = b""
    while len(content) < size and (more := stream.read(size - len(content))):
        content += more
    return content
