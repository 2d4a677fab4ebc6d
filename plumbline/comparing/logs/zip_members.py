"""Members of a zip archive, including those of Zstandard, which Python's own reader lacks. Reads the file that is named."""

import struct
import zipfile
import zlib
from pathlib import Path

from plumbline.pipeline.refused import Refused

ZSTANDARD = 93
LOCAL_HEADER_BYTES = 30


def read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of one member. Refused if the archive is damaged there."""
    try:
        if member.compress_type != ZSTANDARD:
            return archive.read(member)
        # Imported late: an archive of the older kind needs no Arrow.
        from pyarrow import ArrowException, Codec

        try:
            return Codec("zstd").decompress(packed_bytes(path, member), member.file_size, asbytes=True)
        except (ArrowException, OSError) as error:
            raise zipfile.BadZipFile(str(error)) from None
    except (zipfile.BadZipFile, EOFError, struct.error, zlib.error, RuntimeError) as error:
        # RuntimeError: packed with a password, or in a way that Python does not know.
        raise Refused(f"{path}: {member.filename} cannot be unpacked ({error}). Copy the log again from where it was made.") from None


def packed_bytes(path: Path, member: zipfile.ZipInfo) -> bytes:
    """A member as it is in the file: after its own header, and the directory does not hold the lengths of that header."""
    with path.open("rb") as stream:
        stream.seek(member.header_offset)
        header = stream.read(LOCAL_HEADER_BYTES)
        name_bytes, extra_bytes = struct.unpack("<HH", header[26:30])
        stream.seek(member.header_offset + LOCAL_HEADER_BYTES + name_bytes + extra_bytes)
        return stream.read(member.compress_size)
