"""Notices that also reach a person by e-mail: the mailbox, what it is told, letters on their way.

A letter is written in the transaction that tells the notice, and sent by the worker afterwards: at
least once, always under the same Message-ID. Nothing but a code goes to a mailbox before its
person has typed that code here.
"""
