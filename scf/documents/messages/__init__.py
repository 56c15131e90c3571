"""What is said about orders and invoices and claims nothing itself.

Owns answers to, changes and cancellations of orders, despatch advices, remittance advices,
statements of account and reminders. What they do to an order is worked out anew from all of them
each time one arrives, so it does not matter in which order they come.
"""
