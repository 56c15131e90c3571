"""What a tax authority's word does to money: who is asked when, and what follows from the answer.

Owns the asking before an offer and a pay-out and each week until an invoice is paid, the alerts on
financed invoices, and the word of two people while an authority is away.
"""
