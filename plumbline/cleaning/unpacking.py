"""Open a source as a stream of the bytes inside, however it is packed; refuse a packed file that is damaged."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from plumbline.cleaning.source_format import Compression
from plumbline.pipeline.refused import InputRefused

BUFFER_BYTES = 1 << 18


@contextmanager
def unpacked(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """The bytes inside, as they are read. InputRefused if the packed data is damaged or ends early, at any byte."""
    if compression is Compression.NONE:
        with path.open("rb") as stream:
            yield stream
        return
    try:
        with opened(path, compression) as stream:
            yield stream
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the content
            raise
        raise InputRefused(
            "broken_compression", f"{path} is {compression} data that ends early or is damaged ({error}). Download or pack it again."
        ) from None


def opened(path: Path, compression: Compression) -> IO[bytes]:
    """A stream of the unpacked bytes."""
    if compression is Compression.GZIP:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    import pyarrow  # only here: it takes longer to import than a small file takes to clean

    return io.BufferedReader(cast("io.RawIOBase", pyarrow.input_stream(str(path), compression="zstd")), BUFFER_BYTES)
