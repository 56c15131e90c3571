"""The firm's ERP, asked and told by program: its documents in, journals and marks out.

Owns the connections, how far each of their streams has come, every round with its counts, what
was written there, and which account of ours is which of theirs. What is pulled goes in through the
same command as documents that a program sends as data; what is written is looked for first.
"""
