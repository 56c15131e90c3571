"""Which number an account of our chart has in a firm's own system: versions of a table, kept.

One table a firm and system, or several where a firm has several such systems. A file or a live
posting asks it for every account and stops, with the accounts named, where it says nothing: a
number is never guessed.
"""
