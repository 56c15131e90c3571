"""A large file on its way in: slices that are kept until the last one is here.

A connection, a page or a session may end at any time; whoever began goes on with what is missing.
"""
