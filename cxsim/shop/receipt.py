"""What became of every row of a file: counts that add up, and facts that a reader should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["kept", "merged", "dropped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One thing that was noticed in a file.

    Attributes
    ----------
    reason
        What was noticed, in words.
    action
        What happened to these rows: `kept` all the same, `merged` into another row, or `dropped`.
    rows
        How many rows.
    """

    reason: str
    action: Action
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What became of the rows of one file.

    Attributes
    ----------
    file
        Name of the file, without its folder.
    table
        Which of the shop's tables it fills: orders, tickets, surveys, returns, contacts, sessions, members, marketing;
        "none" for a file that fills none.
    recognised
        What it was recognised as, such as "Shopify orders"; "nothing" for a file that is not read, whose one fact says
        why.
    columns
        How many of that format's columns were found, and how many it has.
    rows_read
        Rows of the file.
    lines
        What was noticed; a row is merged or dropped for one reason at most.
    facts
        Further facts as pairs of name and text, such as ("currency", "USD").
    """

    file: str
    table: str
    recognised: str
    columns: tuple[int, int]
    rows_read: int
    lines: tuple[ReceiptLine, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def rows_kept(self) -> int:
        """Rows that became rows of the shop's table."""
        return self.rows_read - sum(line.rows for line in self.lines if line.action != "kept")

    def __str__(self) -> str:
        """Return the receipt as lines of text."""
        if self.recognised == "nothing":
            return "\n".join(f"{self.file}: {name}: {text}" for name, text in self.facts)
        found, possible = self.columns
        became = f"{self.rows_kept:,} of {self.rows_read:,} rows became {self.table}."
        fate = became if self.table != "none" else f"its {self.rows_read:,} rows are set aside."
        head = f"{self.file}: recognised as {self.recognised} ({found} of {possible} columns); {fate}"
        noticed = [f"  {line.action} {line.rows:,}: {line.reason}" for line in self.lines if line.rows]
        return "\n".join([head, *noticed, *(f"  {name}: {text}" for name, text in self.facts)])
