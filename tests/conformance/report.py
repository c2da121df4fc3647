"""What every check shares: the venue's ready line, and one printed line per check."""

import json
import sys


class Report:
    """Prints one line per check and ends the process at the first that fails."""

    def __init__(self, whose):
        self.whose = whose

    def ok(self, what, holds, seen=""):
        if not holds:
            print(f"FAIL {self.whose}: {what}: {seen}", flush=True)
            sys.exit(1)
        print(f"ok   {self.whose}: {what}", flush=True)

    def equal(self, what, seen, expected):
        self.ok(what, seen == expected, f"{seen!r} is not {expected!r}")

    def raises(self, what, kind, call):
        try:
            seen = call()
        except kind as error:
            self.ok(f"{what} ({type(error).__name__})", True)
        except Exception as error:  # Another failure is a failure of this check.
            self.ok(what, False, f"{type(error).__name__}: {error}")
        else:
            self.ok(what, False, f"no failure, but {seen!r}")


def ready(path):
    """The ready line of a venue, from the file it was written to."""
    with open(path, encoding="utf-8") as lines:
        return json.loads(lines.readline())


def accounts(line, venue):
    return [row for row in line["accounts"] if row["venue"] == venue]
