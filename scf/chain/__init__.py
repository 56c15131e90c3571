"""The chain: who trades with whom, as each financier may know it on one day.

A snapshot holds the firms and relations that hang together with the financier's anchors, from
orders, invoices that the buyer accepted or began to pay, and payments that the payer reported:
nothing that became known on the day itself, nothing that only a seller says. It is built once
per financier and business date and never changed.
"""
