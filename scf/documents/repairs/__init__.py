"""Rows that were kept out, and the later files by which they came again.

A row has come again where the later file says so in a column of ours, which every file to correct
carries, or where a document of its number, its two firms and its year was stored since. Nothing is
guessed beyond that. What is still wrong with it then is said of the later file, and of no other.
"""
