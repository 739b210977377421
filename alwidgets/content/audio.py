"""Sounds, as the files that a browser plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike

from ..errors import PoolError
from .base import Unencoded, framed, kind_of, read_file

#: Media types that browsers play, and what people call them.
FORMATS = {
    "audio/wav": "WAV",
    "audio/mpeg": "MP3",
    "audio/ogg": "OGG",
    "audio/flac": "FLAC",
}


@dataclass(frozen=True, slots=True)
class Audio(Unencoded):
    """A sound file; it plays when someone presses play, and never by itself.

    Attributes
    ----------
    data : bytes
        Of a WAV, MP3, OGG or FLAC file.
    mime : str
        Its media type; by default what its first bytes say.

    Raises
    ------
    PoolError
        If the bytes are of none of these, or of another than `mime` says.
    """

    data: bytes = field(repr=False)
    mime: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.data, (bytearray, memoryview)):
            object.__setattr__(self, "data", bytes(self.data))
        if not isinstance(self.data, bytes):
            raise PoolError(
                f"Audio needs the bytes of a sound file, not {kind_of(self.data)}. "
                "For a path use Audio.from_file(path)."
            )
        found = sniffed(self.data)
        if found is None:
            names = ", ".join(FORMATS.values())
            raise PoolError(f"Audio needs the bytes of a {names} file. Convert it to one of them.")
        if self.mime not in ("", found):
            raise PoolError(f"The sound is {found}, not {self.mime}. Leave the type out.")
        object.__setattr__(self, "mime", found)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "The sound") -> Audio:
        """Check that `data` is a sound file and wrap it; an error calls it `name`."""
        try:
            return cls(data)
        except PoolError as e:
            raise PoolError(f"{name} cannot be played: {e}") from e

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Audio:
        """Read a sound file."""
        return cls.from_bytes(read_file(path), str(path))

    def to_bytes(self) -> bytes:
        """Bytes that identify the sound."""
        return framed("audio", [self.data])

    def preview(self) -> str:
        """Say in a few words what it is."""
        return f"Audio, {FORMATS[self.mime]}, {max(1, len(self.data) // 1000):,} kB"


def sniffed(data: bytes) -> str | None:
    """Media type of a sound file by its first bytes; None where it is no such file."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[:4] == b"OggS":
        return "audio/ogg"
    if data[:4] == b"fLaC":
        return "audio/flac"
    # A frame of MPEG audio begins with 11 set bits; layer III has the bits 01 after its version.
    is_frame = len(data) > 2 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2
    return "audio/mpeg" if data[:3] == b"ID3" or is_frame else None
