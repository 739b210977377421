"""Figures, the bars they are held against, and how both are printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure: what it is of, its value, how much it varies, and its bar if there is one."""

    group: str
    name: str
    value: float | None
    unit: str = ""
    note: str = ""
    #: What was asked for, in words, and whether it was met: None where it cannot be said.
    bar: str = ""
    met: bool | None = None
    #: Memory added at the peak, in MB.
    mb: float | None = None

    def __str__(self) -> str:
        value = "-" if self.value is None else f"{self.value:.4g}"
        memory = "" if self.mb is None else f"{self.mb:>7.0f} MB"
        return (
            f"{self.group:<30} {self.name:<34} {value:>9} {self.unit:<3} {memory:>10} "
            f"{self.verdict:<9} {self.note}"
        ).rstrip()

    @property
    def verdict(self) -> str:
        if not self.bar:
            return ""
        return f"{self.bar} {'?' if self.met is None else 'yes' if self.met else 'NO'}"

    def json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


def count(n: int) -> str:
    """100k, 1M."""
    return f"{n // 1_000_000}M" if n >= 1_000_000 else f"{n // 1000}k" if n >= 1000 else str(n)
