"""Reminders: what a payer is told before and after money is due, step by step, each once.

The close of a day gathers what has come to a new step, one reminder per payer and currency. Who
pays is told: the obligor, or under a silent assignment the seller, who collects. A person may hold
an item back until a day, with a reason.
"""
