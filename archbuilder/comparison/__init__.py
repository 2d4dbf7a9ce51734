"""Two networks held against each other: which part of the one is which of the other (`align`), and what differs."""
